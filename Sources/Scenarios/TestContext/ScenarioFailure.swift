/// Something in a scenario is not as expected.
public struct ScenarioFailure: Error, Hashable, Sendable, CustomStringConvertible {
  /// What, in words.
  public let description: String

  /// A failure with those words.
  public init(_ description: String) {
    self.description = description
  }
}
