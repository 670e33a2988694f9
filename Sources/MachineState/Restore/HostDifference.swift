/// Something that a state needs and a host does not have.
public struct HostDifference: Hashable, Sendable, CustomStringConvertible {
  /// What it is about, such as `MSR 0x6e0`.
  public var subject: String
  /// What the state needs and what the host has.
  public var difference: String

  /// A difference.
  public init(_ subject: String, _ difference: String) {
    self.subject = subject
    self.difference = difference
  }

  /// Both, for a person.
  public var description: String { "\(subject): \(difference)" }
}
