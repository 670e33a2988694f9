/// A difference between what the model expects and what was seen.
public struct StateMismatch: Hashable, Sendable {
  /// Where, as in `vCPU 0 TPR` and `answer`.
  public var place: String
  /// What the model has.
  public var expected: String
  /// What the other has.
  public var seen: String

  init(_ place: String, _ expected: some CustomStringConvertible, _ seen: some CustomStringConvertible) {
    self.place = place
    self.expected = expected.description
    self.seen = seen.description
  }
}
