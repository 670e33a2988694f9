/// Why nothing can be recorded on this host. Evidence then rests on counters.
public struct TraceUnavailable: Error, Hashable, Sendable, CustomStringConvertible {
  /// The reason, in the host's words.
  public let description: String

  /// Nothing can be recorded for that reason.
  public init(_ description: String) {
    self.description = description
  }
}
