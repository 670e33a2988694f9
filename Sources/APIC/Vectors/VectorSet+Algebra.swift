extension VectorSet {
  /// The vectors that are in either set.
  public func union(_ other: VectorSet) -> VectorSet {
    combined(with: other) { $0 | $1 }
  }

  /// The vectors that are in both sets.
  public func intersection(_ other: VectorSet) -> VectorSet {
    combined(with: other) { $0 & $1 }
  }

  /// The vectors of this set that the other lacks.
  public func subtracting(_ other: VectorSet) -> VectorSet {
    combined(with: other) { $0 & ~$1 }
  }

  /// The vectors that are in one set but not in both.
  public func symmetricDifference(_ other: VectorSet) -> VectorSet {
    combined(with: other) { $0 ^ $1 }
  }

  private func combined(with other: VectorSet, _ combine: (UInt64, UInt64) -> UInt64) -> VectorSet {
    var result = VectorSet()
    for index in words.indices { result.words[index] = combine(words[index], other.words[index]) }
    return result
  }
}
