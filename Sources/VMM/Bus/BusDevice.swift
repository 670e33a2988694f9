/// One access of a vCPU to a device.
public struct BusAccess: Hashable, Sendable {
  /// The index of the vCPU.
  public var vcpu: Int
  /// Where, counted from the start of the device's range.
  public var offset: UInt64
  /// How many bytes: 1, 2, 4 or 8.
  public var width: Int
}

/// Something behind ports or memory addresses. vCPU threads call it at the same time, so it guards its own state.
public protocol BusDevice: Sendable {
  /// The value that a read gives, in the low `access.width` bytes.
  func read(_ access: BusAccess) -> UInt64

  /// Takes a written value, in the low `access.width` bytes.
  func write(_ value: UInt64, _ access: BusAccess)

  /// Takes bytes written to one port by one instruction (REP OUTSB), as many as KVM hands over at once: some back ends
  /// hand over one at a time.
  func write(string: [UInt8], _ access: BusAccess)
}

extension BusDevice {
  /// A string is as many single writes.
  public func write(string: [UInt8], _ access: BusAccess) {
    for byte in string { write(UInt64(byte), access) }
  }
}
