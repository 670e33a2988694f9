import APIC
import Synchronization

/// An address space with devices in it: the ports, or the memory that is not RAM.
public final class Bus: Sendable {
  struct Entry: Sendable {
    let range: Range<UInt64>
    let device: any BusDevice
  }

  /// Which address space, for a person: "port" or "memory".
  let name: String
  private let entries: [Entry]
  private let unclaimed = Mutex(UnclaimedAccesses())

  /// A bus with these devices.
  ///
  /// - Throws: `BusError.overlap` where two devices claim one address.
  public init(name: String, devices: [(range: Range<UInt64>, device: any BusDevice)]) throws(BusError) {
    self.name = name
    entries = devices.map { Entry(range: $0.range, device: $0.device) }
      .sorted { $0.range.lowerBound < $1.range.lowerBound }
    for (low, high) in zip(entries, entries.dropFirst()) where low.range.overlaps(high.range) {
      throw .overlap(bus: name, low.range, high.range)
    }
  }

  /// Reads from the device at `address`; where there is none, all ones, as an open bus gives.
  public func read(at address: UInt64, width: Int, vcpu: Int) -> UInt64 {
    guard let entry = entry(at: address) else {
      note(address, width: width, vcpu: vcpu, isWrite: false)
      return width >= 8 ? .max : 1 << (8 * UInt64(width)) - 1
    }
    return entry.device.read(BusAccess(vcpu: vcpu, offset: address - entry.range.lowerBound, width: width))
  }

  /// Writes to the device at `address`; where there is none, the value is dropped and the access counted.
  public func write(_ value: UInt64, at address: UInt64, width: Int, vcpu: Int) {
    guard let entry = entry(at: address) else { return note(address, width: width, vcpu: vcpu, isWrite: true) }
    entry.device.write(value, BusAccess(vcpu: vcpu, offset: address - entry.range.lowerBound, width: width))
  }

  /// Writes a string of bytes to the device at `address`.
  public func write(string: [UInt8], at address: UInt64, vcpu: Int) {
    guard let entry = entry(at: address) else { return note(address, width: 1, vcpu: vcpu, isWrite: true) }
    entry.device.write(
      string: string, BusAccess(vcpu: vcpu, offset: address - entry.range.lowerBound, width: 1))
  }

  /// What touched addresses that no device claims.
  public var unclaimedAccesses: UnclaimedAccesses { unclaimed.withLock { $0 } }

  /// A machine has a handful of devices: looking at each beats a cleverer search.
  private func entry(at address: UInt64) -> Entry? {
    for entry in entries where entry.range.contains(address) { return entry }
    return nil
  }

  private func note(_ address: UInt64, width: Int, vcpu: Int, isWrite: Bool) {
    unclaimed.withLock {
      $0.add(UnclaimedAccesses.Access(address: address, width: width, vcpu: vcpu, isWrite: isWrite))
    }
  }
}

/// Devices that cannot be on one bus.
public enum BusError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Two of them claim one address.
  case overlap(bus: String, Range<UInt64>, Range<UInt64>)

  /// The two ranges, for a person.
  public var description: String {
    switch self {
    case .overlap(let bus, let first, let second):
      "two devices overlap on the \(bus) bus: \(hex(first.lowerBound)) and \(hex(second.lowerBound))"
    }
  }
}

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

/// Accesses that no device answered: how many, and the first of them. A guest cannot make this grow.
public struct UnclaimedAccesses: Hashable, Sendable {
  /// One of them.
  public struct Access: Hashable, Sendable {
    /// The port or guest-physical address.
    public var address: UInt64
    /// How many bytes.
    public var width: Int
    /// The index of the vCPU.
    public var vcpu: Int
    /// Whether it was a write.
    public var isWrite: Bool
  }

  static let kept = 8

  /// How many there were.
  public private(set) var count: UInt64 = 0
  /// The first of them, by address; at most eight.
  public private(set) var first: [Access] = []

  mutating func add(_ access: Access) {
    count += 1
    if first.count < Self.kept, !first.contains(where: { $0.address == access.address }) { first.append(access) }
  }
}

extension UnclaimedAccesses.Access: CustomStringConvertible {
  /// The access, for a person.
  public var description: String {
    "vCPU \(vcpu) \(isWrite ? "wrote" : "read") \(width) byte\(width == 1 ? "" : "s") at \(hex(address))"
  }
}
