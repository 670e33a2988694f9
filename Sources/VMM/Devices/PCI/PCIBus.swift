import Synchronization

/// PCI bus 0 with its functions, reached by configuration mechanism 1: an address in port 0xcf8, data at 0xcfc (PCI Local
/// Bus Specification 3.0, section 3.2.2.3.2). What is not there reads as ones.
final class PCIBus: Sendable {
  /// The address register: four bytes, of which a write of one byte at 0xcf9 is the reset control's.
  static let addressPort: Range<UInt64> = 0xcf8..<0xcf9
  static let dataPorts: Range<UInt64> = 0xcfc..<0xd00
  /// Where base addresses of functions may lie: below the IOAPIC, and above the ports of fixed devices.
  static let memoryWindow: Range<UInt64> = 0xf000_0000..<0xfec0_0000
  static let portWindow: Range<UInt64> = 0xc000..<0xd000

  struct State: Hashable, Sendable {
    /// What was last written to 0xcf8.
    var address: UInt32 = 0
  }

  private static let enable: UInt32 = 1 << 31
  private let state = Mutex(State())
  /// By device and function: bits 15 to 8 of the address.
  private let functions: [UInt8: any PCIFunction]

  init(functions: [UInt8: any PCIFunction]) { self.functions = functions }

  /// The register that is selected, and how many bits into it an access begins. The address's low two bits, which a
  /// chip set would ignore, count as QEMU has them: the suite reads all of a register at port 0xcfc.
  private func selected(_ access: BusAccess) -> (function: any PCIFunction, register: UInt8, shift: UInt64)? {
    let address = state.withLock { $0.address }
    // Bus 0 alone exists.
    guard address & Self.enable != 0, address & 0xff_0000 == 0,
      let function = functions[UInt8(truncatingIfNeeded: address >> 8)]
    else { return nil }
    let place = UInt64(address & 3) | access.offset
    return (function, UInt8(truncatingIfNeeded: address) & 0xfc, 8 * place)
  }

  private func readData(_ access: BusAccess) -> UInt64 {
    guard let selected = selected(access) else { return .max }
    return UInt64(selected.function.configuration(at: selected.register)) >> selected.shift
  }

  private func writeData(_ value: UInt64, _ access: BusAccess) {
    guard let selected = selected(access) else { return }
    let ones: UInt64 = access.width >= 4 ? 0xffff_ffff : 1 << (8 * UInt64(access.width)) - 1
    selected.function.configure(
      UInt32(truncatingIfNeeded: value << selected.shift), mask: UInt32(truncatingIfNeeded: ones << selected.shift),
      at: selected.register)
  }

  fileprivate func region(at address: UInt64, _ space: PCISpace) -> (device: any BusDevice, start: UInt64)? {
    for function in functions.values {
      if let region = function.region(at: address, space: space) { return region }
    }
    return nil
  }

  /// The devices that make the bus visible in the port space.
  var portDevices: [(range: Range<UInt64>, device: any BusDevice)] {
    [
      (Self.addressPort, AddressPort(bus: self)), (Self.dataPorts, DataPorts(bus: self)),
      (Self.portWindow, Window(bus: self, space: .port, start: Self.portWindow.lowerBound)),
    ]
  }

  /// The devices that make it visible in memory.
  var memoryDevices: [(range: Range<UInt64>, device: any BusDevice)] {
    [(Self.memoryWindow, Window(bus: self, space: .memory, start: Self.memoryWindow.lowerBound))]
  }

  private struct AddressPort: BusDevice {
    let bus: PCIBus

    func read(_ access: BusAccess) -> UInt64 {
      access.width == 4 ? UInt64(bus.state.withLock { $0.address }) : .max
    }

    func write(_ value: UInt64, _ access: BusAccess) {
      guard access.width == 4 else { return }
      bus.state.withLock { $0.address = UInt32(truncatingIfNeeded: value) }
    }
  }

  private struct DataPorts: BusDevice {
    let bus: PCIBus
    func read(_ access: BusAccess) -> UInt64 { bus.readData(access) }
    func write(_ value: UInt64, _ access: BusAccess) { bus.writeData(value, access) }
  }

  /// The addresses that functions decode as their base addresses say.
  private struct Window: BusDevice {
    let bus: PCIBus
    let space: PCISpace
    let start: UInt64

    func read(_ access: BusAccess) -> UInt64 {
      guard let region = region(access) else { return .max }
      return region.device.read(region.access)
    }

    func write(_ value: UInt64, _ access: BusAccess) {
      guard let region = region(access) else { return }
      region.device.write(value, region.access)
    }

    private func region(_ access: BusAccess) -> (device: any BusDevice, access: BusAccess)? {
      let address = start + access.offset
      guard let region = bus.region(at: address, space) else { return nil }
      return (region.device, BusAccess(vcpu: access.vcpu, offset: address - region.start, width: access.width))
    }
  }
}

extension PCIBus: RegisterDevice {
  static let stateName = "pci"

  var held: State {
    get { state.withLock { $0 } }
    set { state.withLock { $0 = newValue } }
  }
}

extension PCIBus.State: DeviceRegisters {
  init(_ saved: DeviceState) throws(DeviceStateError) {
    self.init(address: UInt32(truncatingIfNeeded: try saved.value("address", upTo: UInt64(UInt32.max))))
  }

  var fields: [String: [UInt64]] { ["address": [UInt64(address)]] }
}

/// A function on the PCI bus: 64 configuration registers of 32 bits, and what its base addresses reach. vCPU threads call it
/// at the same time, so it guards its own state.
protocol PCIFunction: AnyObject, Sendable {
  /// The register of configuration space at a multiple of 4, 0 to 0xfc.
  func configuration(at register: UInt8) -> UInt32

  /// Writes the bytes of a register that `mask` has ones for.
  func configure(_ value: UInt32, mask: UInt32, at register: UInt8)

  /// What an address reaches; nil where the function does not decode it.
  func region(at address: UInt64, space: PCISpace) -> (device: any BusDevice, start: UInt64)?
}

/// An address space that base addresses are in.
enum PCISpace: Hashable, Sendable {
  /// I/O ports.
  case port
  /// Memory.
  case memory
}

/// The registers of configuration space that every function has (PCI Local Bus Specification 3.0, section 6.1).
enum PCIRegister {
  /// Vendor and device.
  static let identity: UInt8 = 0x00
  /// Command and status.
  static let command: UInt8 = 0x04
  /// Revision and class.
  static let classCode: UInt8 = 0x08
  /// Cache line, latency timer, header type, self-test.
  static let header: UInt8 = 0x0c
  /// The first of six base addresses.
  static let baseAddress: UInt8 = 0x10
  /// Subsystem vendor and subsystem.
  static let subsystem: UInt8 = 0x2c
  /// Command: decode ports, decode memory.
  static let decodesPorts: UInt32 = 1
  static let decodesMemory: UInt32 = 2
}

/// The host bridge of a 440FX, which guests look for at 00:00.0. It has no registers beyond its identity.
final class HostBridge: PCIFunction {
  static let place: UInt8 = 0

  func configuration(at register: UInt8) -> UInt32 {
    switch register {
    case PCIRegister.identity: 0x1237_8086
    case PCIRegister.command: PCIRegister.decodesPorts | PCIRegister.decodesMemory
    case PCIRegister.classCode: 0x0600_0002
    default: 0
    }
  }

  func configure(_ value: UInt32, mask: UInt32, at register: UInt8) {}

  func region(at address: UInt64, space: PCISpace) -> (device: any BusDevice, start: UInt64)? { nil }
}
