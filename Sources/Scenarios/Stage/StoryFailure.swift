/// Something in a story is not as expected.
public struct StoryFailure: Error, Hashable, Sendable, CustomStringConvertible {
  /// What, in words.
  public let description: String

  /// A failure with those words.
  public init(_ description: String) {
    self.description = description
  }
}
