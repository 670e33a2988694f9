import APIC

/// A device of the machine's owner, and where it is: what `MachineHooks.devices` gives a machine.
public struct AttachedDevice: Sendable {
  /// Where a guest reaches a device.
  public enum Place: Hashable, Sendable {
    /// These I/O ports, 0 to 0xffff.
    case ports(Range<UInt64>)
    /// These guest-physical addresses, outside of guest memory.
    case addresses(Range<UInt64>)
  }

  /// Where it is.
  public let place: Place
  /// What it does.
  public let device: any BusDevice

  /// A device.
  ///
  /// - Parameters:
  ///   - place: where it is; neither empty nor where another device is.
  ///   - device: what it does. vCPU threads call it at the same time, and wait for it.
  public init(at place: Place, _ device: any BusDevice) {
    self.place = place
    self.device = device
  }

  /// A device that is two closures.
  ///
  /// - Parameters:
  ///   - place: where it is; neither empty nor where another device is.
  ///   - read: gives the value that a read finds, in the low `width` bytes; all ones without it, as on an open bus.
  ///   - write: takes a written value. vCPU threads call both at the same time, and wait for them.
  public init(
    at place: Place, read: @escaping @Sendable (BusAccess) -> UInt64 = { _ in .max },
    write: @escaping @Sendable (UInt64, BusAccess) -> Void
  ) {
    self.init(at: place, ClosureDevice(onRead: read, onWrite: write))
  }
}

/// What a device of the machine's owner may use of its machine.
public struct DeviceSite: Sendable {
  /// Guest memory, for a device that reads or writes it by itself.
  public let memory: GuestMemory
  /// Where its interrupts enter the machine: lines, messages, eventfds.
  public let interrupts: InterruptController
  /// Ends the machine.
  public let stop: StopSwitch
}

/// A device that is two closures.
private struct ClosureDevice: BusDevice {
  let onRead: @Sendable (BusAccess) -> UInt64
  let onWrite: @Sendable (UInt64, BusAccess) -> Void

  func read(_ access: BusAccess) -> UInt64 { onRead(access) }
  func write(_ value: UInt64, _ access: BusAccess) { onWrite(value, access) }
}

extension AttachedDevice {
  /// What KVM itself answers at, whatever a bus has there: nothing of this process is asked.
  ///
  /// - Parameter irqChip: where the chips are.
  private static func kernelPlaces(_ irqChip: MachineConfiguration.IRQChip) -> [Place] {
    // A page of each local APIC's registers, which a guest can move.
    let localAPIC = Place.addresses(0xfee0_0000..<0xfee0_1000)
    guard irqChip == .kernel else { return [localAPIC] }
    // KVM's IOAPIC has 256 bytes (IOAPIC_MEM_LENGTH); its PICs have two ports each, and the ELCRs.
    return [localAPIC, .addresses(0xfec0_0000..<0xfec0_0100)]
      + [0x20, 0xa0, 0x4d0].map { .ports($0..<$0 + 2) }
  }

  /// Refuses a place where no guest would ever reach it.
  func validate(_ configuration: MachineConfiguration, memory: GuestMemory) throws(MachineError) {
    let range = place.range
    guard !range.isEmpty else { throw .configuration("a device at \(place) has no place at all") }
    switch place {
    case .ports:
      guard range.upperBound <= 1 << 16 else { throw .configuration("a device at \(place) is beyond port 0xffff") }
    case .addresses:
      for bank in memory.banks where range.overlaps(bank.address..<bank.address + bank.size) {
        throw .configuration(
          "a device at \(place) lies in guest memory, which reaches to \(hex(bank.address + bank.size))")
      }
    }
    for taken in Self.kernelPlaces(configuration.irqChip) where taken.overlaps(place) {
      throw .configuration("a device at \(place) would never be asked: KVM answers at \(taken) itself")
    }
  }
}

extension AttachedDevice.Place: CustomStringConvertible {
  /// The place, for a person.
  public var description: String {
    switch self {
    case .ports(let range): "ports \(hex(range.lowerBound)) to \(hex(Self.last(range)))"
    case .addresses(let range): "addresses \(hex(range.lowerBound)) to \(hex(Self.last(range)))"
    }
  }

  var range: Range<UInt64> {
    switch self {
    case .ports(let range), .addresses(let range): range
    }
  }

  func overlaps(_ other: Self) -> Bool {
    switch (self, other) {
    case (.ports(let one), .ports(let other)), (.addresses(let one), .addresses(let other)): one.overlaps(other)
    default: false
    }
  }

  private static func last(_ range: Range<UInt64>) -> UInt64 { range.isEmpty ? range.lowerBound : range.upperBound - 1 }
}
