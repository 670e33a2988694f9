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
