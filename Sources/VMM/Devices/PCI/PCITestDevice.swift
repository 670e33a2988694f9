import APIC
import KVM
import Synchronization

/// QEMU's pci-testdev: two base addresses, in memory and in ports, where a guest counts writes that do and that do not
/// leave KVM (QEMU, docs/specs/pci-testdev.rst).
///
/// A write of a test's number to the first byte begins the test: its description can then be read, and writes where it
/// says count. Two of the three tests let KVM answer the writes (KVM_IOEVENTFD).
final class PCITestDevice: PCIFunction {
  static let place: UInt8 = 2 << 3
  static let memorySize: UInt64 = 4096
  static let portSize: UInt64 = 256
  /// Where the firmware of a PC would have put the base addresses.
  static let memoryStart: UInt64 = 0xfebf_1000
  static let portStart: UInt64 = 0xc000

  /// What the device holds; which eventfds are assigned follows from it.
  struct State: Hashable, Sendable {
    var command = PCIRegister.decodesPorts | PCIRegister.decodesMemory
    var memoryBase = UInt32(PCITestDevice.memoryStart)
    var portBase = UInt32(PCITestDevice.portStart)
    /// The test that runs; nil for none.
    var test: PCITest?
    /// How many writes it has counted.
    var count: UInt32 = 0
  }

  static let stateName = "pci-test"

  private let vm: VirtualMachine
  private let state = Mutex(State())
  /// What KVM signals instead of leaving the guest. The test that runs has it assigned.
  private let event: EventDescriptor

  init(vm: VirtualMachine, interrupts: InterruptController) throws(KVMError) {
    self.vm = vm
    event = try EventDescriptor()
    interrupts.claim(event)
  }

  func configuration(at register: UInt8) -> UInt32 {
    state.withLock { state in
      switch register {
      case PCIRegister.identity: 0x0005_1b36
      case PCIRegister.command: state.command
      case PCIRegister.classCode: 0x00ff_0000
      case PCIRegister.baseAddress: state.memoryBase
      case PCIRegister.baseAddress + 4: state.portBase | 1
      case PCIRegister.subsystem: 0x1100_1af4
      default: 0
      }
    }
  }

  func configure(_ value: UInt32, mask: UInt32, at register: UInt8) {
    state.withLock { state in
      func merged(_ old: UInt32) -> UInt32 { old & ~mask | value & mask }
      // A test ends where its addresses change: KVM would go on answering at the old ones.
      switch register {
      case PCIRegister.command:
        let command = merged(state.command) & (PCIRegister.decodesPorts | PCIRegister.decodesMemory)
        if command != state.command { end(&state) }
        state.command = command
      case PCIRegister.baseAddress:
        end(&state)
        state.memoryBase = merged(state.memoryBase) & ~UInt32(Self.memorySize - 1)
      case PCIRegister.baseAddress + 4:
        end(&state)
        state.portBase = merged(state.portBase | 1) & ~UInt32(Self.portSize - 1)
      default: break
      }
    }
  }

  func region(at address: UInt64, space: PCISpace) -> (device: any BusDevice, start: UInt64)? {
    let state = state.withLock { $0 }
    let start = UInt64(space == .memory ? state.memoryBase : state.portBase)
    let size = space == .memory ? Self.memorySize : Self.portSize
    let decodes = space == .memory ? PCIRegister.decodesMemory : PCIRegister.decodesPorts
    guard state.command & decodes != 0, address >= start, address - start < size else { return nil }
    return (Registers(device: self, space: space), start)
  }

  private func read(_ offset: UInt64, width: Int) -> UInt64 {
    state.withLock { state in
      guard let test = state.test else { return 0 }
      // Reading ends what was signalled so far.
      if test.event != nil { _ = try? event.read() }
      let description = test.description(count: state.count)
      var value: UInt64 = 0
      for index in 0..<UInt64(width) where offset + index < UInt64(description.count) {
        value |= UInt64(description[Int(offset + index)]) << (8 * index)
      }
      return value
    }
  }

  private func write(_ value: UInt64, at offset: UInt64, space: PCISpace) {
    state.withLock { state in
      guard offset != 0 else {
        end(&state)
        begin(PCITest(number: UInt8(truncatingIfNeeded: value), space: space), &state)
        return
      }
      guard let test = state.test, test.offset == offset,
        !test.matchesData || UInt8(truncatingIfNeeded: value) == test.data
      else { return }
      state.count &+= 1
    }
  }

  private func begin(_ test: PCITest?, _ state: inout State) {
    guard let test else { return }
    // Where KVM refuses, as for a guest that has put the ports over others, there is no such test.
    if let match = test.event {
      guard (try? vm.assignIOEvent(event, at: address(of: test, state), length: 1, match: match)) != nil else { return }
    }
    state.test = test
    state.count = 0
  }

  private func end(_ state: inout State) {
    if let test = state.test, let match = test.event {
      try? vm.deassignIOEvent(event, at: address(of: test, state), length: 1, match: match)
    }
    state.test = nil
  }

  private func address(of test: PCITest, _ state: State) -> IOEventAddress {
    switch test.space {
    case .memory: .mmio(UInt64(state.memoryBase) + test.offset)
    case .port: .port(UInt16(truncatingIfNeeded: UInt64(state.portBase) + test.offset))
    }
  }

  /// One of the two base addresses.
  private struct Registers: BusDevice {
    let device: PCITestDevice
    let space: PCISpace

    func read(_ access: BusAccess) -> UInt64 { device.read(access.offset, width: access.width) }

    func write(_ value: UInt64, _ access: BusAccess) { device.write(value, at: access.offset, space: space) }
  }
}

extension PCITestDevice: RegisterDevice {
  /// KVM answers again what it answered.
  var held: State {
    get { state.withLock { $0 } }
    set {
      state.withLock { state in
        end(&state)
        state = newValue
        state.test = nil
        begin(newValue.test, &state)
        state.count = newValue.count
      }
    }
  }
}

extension PCITestDevice.State: DeviceRegisters {
  init(_ saved: DeviceState) throws(DeviceStateError) {
    func word(_ name: String, bits: UInt32) throws(DeviceStateError) -> UInt32 {
      let value = UInt32(truncatingIfNeeded: try saved.value(name, upTo: UInt64(UInt32.max)))
      guard value & ~bits == 0 else {
        throw DeviceStateError(device: saved.name, field: name, problem: "\(hex(value)) has bits that cannot be set")
      }
      return value
    }
    self.init(
      command: try word("command", bits: PCIRegister.decodesPorts | PCIRegister.decodesMemory),
      memoryBase: try word("memoryBase", bits: ~UInt32(PCITestDevice.memorySize - 1)),
      portBase: try word("portBase", bits: ~UInt32(PCITestDevice.portSize - 1)),
      test: PCITest.all[Int(try saved.value("test", upTo: UInt64(PCITest.all.count - 1)))],
      count: try word("count", bits: .max))
  }

  var fields: [String: [UInt64]] {
    [
      "command": [UInt64(command)], "memoryBase": [UInt64(memoryBase)], "portBase": [UInt64(portBase)],
      "test": [UInt64(PCITest.all.firstIndex(of: test) ?? 0)], "count": [UInt64(count)],
    ]
  }
}
