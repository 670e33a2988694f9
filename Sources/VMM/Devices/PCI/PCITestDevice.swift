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

extension PCITestDevice: StatefulDevice {
  /// Where it is, and the test that runs: 0 for none.
  func save() -> DeviceState {
    let state = state.withLock { $0 }
    return DeviceState(
      name: Self.stateName,
      fields: [
        "command": [UInt64(state.command)], "memoryBase": [UInt64(state.memoryBase)],
        "portBase": [UInt64(state.portBase)], "test": [state.test.map { UInt64($0.number) + 1 } ?? 0],
        "count": [UInt64(state.count)],
      ])
  }

  /// Puts them back, and has KVM answer again what it answered.
  ///
  /// - Throws: `DeviceStateError` for a state that is none of this device.
  func restore(_ saved: DeviceState) throws(DeviceStateError) {
    let values = try Self.values(of: saved)
    state.withLock { state in
      end(&state)
      state = values
      state.test = nil
      begin(values.test, &state)
      state.count = values.count
    }
  }

  /// What a state says that they are.
  static func values(of saved: DeviceState) throws(DeviceStateError) -> State {
    func word(_ name: String, bits: UInt32) throws(DeviceStateError) -> UInt32 {
      let value = UInt32(truncatingIfNeeded: try saved.value(name, upTo: UInt64(UInt32.max)))
      guard value & ~bits == 0 else {
        throw DeviceStateError(device: saved.name, field: name, problem: "\(hex(value)) has bits that cannot be set")
      }
      return value
    }
    let kinds = UInt64(PCITest.Kind.allCases.count)
    let number = try saved.value("test", upTo: 2 * kinds)
    let space = number > kinds ? PCISpace.port : .memory
    return State(
      command: try word("command", bits: PCIRegister.decodesPorts | PCIRegister.decodesMemory),
      memoryBase: try word("memoryBase", bits: ~UInt32(memorySize - 1)),
      portBase: try word("portBase", bits: ~UInt32(portSize - 1)),
      test: number == 0 ? nil : PCITest(number: UInt8((number - 1) % kinds), space: space),
      count: try word("count", bits: .max))
  }
}

/// A test of pci-testdev: who answers the writes that it counts.
struct PCITest: Hashable, Sendable {
  enum Kind: UInt8, Hashable, Sendable, CaseIterable {
    /// The device, in user space.
    case noEvent
    /// KVM, whatever is written.
    case wildcard
    /// KVM, for the right value alone.
    case dataMatch
  }

  let kind: Kind
  let space: PCISpace

  /// The test of that number in that space; nil where there is none.
  init?(number: UInt8, space: PCISpace) {
    guard let kind = Kind(rawValue: number) else { return nil }
    self.kind = kind
    self.space = space
  }

  /// Whether a write counts only with the right value.
  var matchesData: Bool { kind != .wildcard }

  /// The value that the guest is to write.
  var data: UInt8 { matchesData ? 0xfa : 0xce }

  /// What KVM is to match: a value, or nil within for any; nil where KVM answers nothing.
  var event: UInt64?? {
    switch kind {
    case .noEvent: nil
    case .wildcard: .some(nil)
    case .dataMatch: .some(UInt64(data))
    }
  }

  /// Its number among all tests.
  var number: UInt8 { (space == .memory ? 0 : UInt8(Kind.allCases.count)) + kind.rawValue }

  /// Where the guest is to write, in bytes from the base address.
  var offset: UInt64 { (space == .memory ? 2048 : 128) + UInt64(number) }

  private var name: String {
    let space = space == .memory ? "mmio" : "portio"
    return switch kind {
    case .noEvent: "\(space)-no-eventfd"
    case .wildcard: "\(space)-wildcard-eventfd"
    case .dataMatch: "\(space)-datamatch-eventfd"
    }
  }

  /// What the guest reads of it: number, width, where to write, what, how often it was written, and the name.
  func description(count: UInt32) -> [UInt8] {
    var bytes: [UInt8] = [number, 1, 0, 0]
    for word in [UInt32(offset), UInt32(data), count] {
      for shift in stride(from: UInt32(0), to: 32, by: 8) { bytes.append(UInt8(truncatingIfNeeded: word >> shift)) }
    }
    return bytes + name.utf8 + [0]
  }
}
