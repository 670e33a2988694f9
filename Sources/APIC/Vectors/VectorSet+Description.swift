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
