/// A set of interrupt vectors: the 256 bits of an IRR, an ISR or a TMR (SDM volume 3A, section 12.8.4).
public struct VectorSet: Sendable {
  /// Bit _n_ of element _i_ is vector 64 _i_ + _n_.
  var words: InlineArray<4, UInt64>

  /// The empty set.
  public init() {
    words = InlineArray(repeating: 0)
  }

  /// The set of the vectors in a sequence.
  ///
  /// - Parameter vectors: The members, in any order.
  public init(_ vectors: some Sequence<Vector>) {
    self.init()
    for vector in vectors { insert(vector) }
  }

  /// Whether the set has no member.
  public var isEmpty: Bool { words[0] | words[1] | words[2] | words[3] == 0 }

  /// How many vectors are in the set, 0 to 256.
  public var count: Int {
    var count = 0
    for index in words.indices { count += words[index].nonzeroBitCount }
    return count
  }

  /// The member of lowest priority, or `nil` if the set is empty.
  public var lowest: Vector? {
    for index in words.indices where words[index] != 0 {
      return Vector(rawValue: UInt8(truncatingIfNeeded: index * 64 + words[index].trailingZeroBitCount))
    }
    return nil
  }

  /// The member of highest priority, or `nil` if the set is empty.
  public var highest: Vector? {
    for index in words.indices.reversed() where words[index] != 0 {
      return Vector(rawValue: UInt8(truncatingIfNeeded: index * 64 + 63 - words[index].leadingZeroBitCount))
    }
    return nil
  }

  /// Whether the vector is in the set.
  public func contains(_ vector: Vector) -> Bool {
    words[vector.wordIndex][bit: vector.bitIndex]
  }

  /// Puts the vector into the set.
  public mutating func insert(_ vector: Vector) {
    words[vector.wordIndex][bit: vector.bitIndex] = true
  }

  /// Takes the vector out of the set.
  public mutating func remove(_ vector: Vector) {
    words[vector.wordIndex][bit: vector.bitIndex] = false
  }

  /// One of the eight 32-bit registers that hold the set in a local APIC (SDM volume 3A, table 12-1).
  ///
  /// - Parameter index: 0 to 7. Register 0 holds vectors 31:0, register 7 vectors 255:224.
  public subscript(word index: Int) -> UInt32 {
    get { UInt32(truncatingIfNeeded: words[index / 2] >> (index % 2 * 32)) }
    set {
      let lowest = index % 2 * 32
      words[index / 2][bits: lowest...lowest + 31] = UInt64(newValue)
    }
  }
}

extension VectorSet: Hashable {
  /// Whether both sets have the same members.
  public static func == (left: VectorSet, right: VectorSet) -> Bool {
    left.symmetricDifference(right).isEmpty
  }

  /// Feeds the members to the hasher.
  public func hash(into hasher: inout Hasher) {
    for index in words.indices { hasher.combine(words[index]) }
  }
}

extension Vector {
  /// Where a `VectorSet` keeps the vector.
  fileprivate var wordIndex: Int { Int(rawValue / 64) }
  fileprivate var bitIndex: Int { Int(rawValue % 64) }
}

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

extension VectorSet {
  /// Yields the members of a set, from low priority to high.
  public struct Iterator: IteratorProtocol, Sendable {
    private var remaining: VectorSet

    fileprivate init(_ vectors: VectorSet) {
      remaining = vectors
    }

    /// The next member, or `nil` after the last one.
    public mutating func next() -> Vector? {
      guard let vector = remaining.lowest else { return nil }
      remaining.remove(vector)
      return vector
    }
  }

  /// An iterator over the members in ascending order, which allocates nothing.
  ///
  /// Guests step it with `while let`: `Sequence` has requirements that allocate, which their compiler refuses.
  public func makeIterator() -> Iterator {
    Iterator(self)
  }
}

#if !hasFeature(Embedded)
extension VectorSet: Sequence {}
#endif

#if !hasFeature(Embedded)
extension VectorSet: ExpressibleByArrayLiteral {
  /// The set of the vectors that are written out, in any order.
  public init(arrayLiteral vectors: Vector...) {
    self.init(vectors)
  }
}

extension VectorSet: CustomStringConvertible {
  /// The members in ascending order, as in `{0x30, 0x70}`.
  public var description: String {
    "{" + map(\.description).joined(separator: ", ") + "}"
  }
}
#endif
