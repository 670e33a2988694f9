public import APIC

/// Something that a guest wrote down while it ran.
public struct GuestRecord: Hashable, Sendable {
  /// What it was.
  public enum Event: Hashable, Sendable {
    /// An interrupt was taken, before the instruction at this address.
    case interrupt(Vector, instruction: UInt64)
    /// An exception that the guest has no handler for.
    case exception(Vector, errorCode: UInt32, instruction: UInt64)
    /// A point in its scenario.
    case mark(String)
    /// Something that should hold and did, or did not, and what was seen.
    case check(String, holds: Bool, saw: Int64)
    /// A figure.
    case value(String, UInt64)
    /// A record of a kind that this host does not know.
    case unknown(kind: UInt8)
  }

  /// What happened.
  public var event: Event
  /// The index of the vCPU that wrote it, as it says itself.
  public var vcpu: Int
  /// The guest's TSC at that moment.
  public var tsc: UInt64
}
