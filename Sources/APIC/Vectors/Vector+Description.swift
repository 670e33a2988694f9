#if !hasFeature(Embedded)
extension Vector: CustomStringConvertible {
  /// The vector's number, as in `0x30`.
  public var description: String { hex(rawValue, digits: 2) }
}
#endif
