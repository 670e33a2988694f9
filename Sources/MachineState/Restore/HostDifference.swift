/// Something that a state needs and a host does not have.
public struct HostDifference: Hashable, Sendable, CustomStringConvertible {
  /// What it is about, such as `MSR 0x6e0`.
  public var subject: String
  /// What the state needs and what the host has.
  public var difference: String
  /// Whether one kernel and one processor never have it differently: parameters of modules, the microcode and the time since
  /// the start of the host may change others.
  public var isLasting: Bool

  /// A difference.
  public init(_ subject: String, _ difference: String, isLasting: Bool = false) {
    self.subject = subject
    self.difference = difference
    self.isLasting = isLasting
  }

  /// Both, for a person.
  public var description: String { "\(subject): \(difference)" }
}
