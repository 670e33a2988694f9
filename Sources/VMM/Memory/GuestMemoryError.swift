import APIC

/// An access to guest-physical addresses that are not guest memory.
public struct GuestMemoryError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The first address of the access.
  public var address: UInt64
  /// Its length in bytes.
  public var size: UInt64

  /// The access, for a person.
  public var description: String { "\(size) bytes at \(hex(address)) are not all guest memory" }
}
