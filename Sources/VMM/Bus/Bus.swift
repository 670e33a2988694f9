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
