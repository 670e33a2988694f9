import KVM
import TestImages
import Testing

@testable import VMM

/// What a snapshot keeps of the devices of the unit tests' PC.
@Suite(.needsKVM) struct UnitTestStateTests {
  private func machine() throws -> Machine {
    try Machine.testing(
      GuestImage(name: "test", bytes: MultibootImage(code: Code(.protected).debugExit(0).bytes).bytes)
    ) {
      $0.become(UnitTestPlatform(), cpu: .unitTestDefault)
    }
  }

  /// A machine whose devices hold what those of another do.
  private func copy(of machine: Machine) throws -> Machine {
    let copy = try self.machine()
    let states = machine.deviceStates()
    try DeviceState.validate(states, machine.configuration)
    for device in copy.statefulDevices {
      try device.restore(try #require(states.first { $0.name == device.stateName }, "\(device.stateName)"))
    }
    return copy
  }

  @Test func `each device goes on from where it was`() throws {
    let machine = try machine()
    func out(_ value: UInt64, _ port: UInt64, width: Int = 1) {
      machine.ports.write(value, at: port, width: width, vcpu: 0)
    }
    // fw_cfg: the second byte of the signature comes next, and half of a request's address is there.
    out(0, 0x510, width: 2)
    _ = machine.ports.read(at: 0x511, width: 1, vcpu: 0)
    out(0x0100_0000, 0x514, width: 4)
    // The keyboard controller waits for its command byte.
    out(0x60, 0x64)
    out(0xdead_beef, 0xe0, width: 4)
    out(0x02, 0x92)
    out(0x0120, 0x602, width: 2)
    for byte in "Shutdow".utf8 { out(UInt64(byte), 0x8900) }
    machine.addresses.write(0xa5, at: 0xff00_ffff, width: 1, vcpu: 0)
    // The HPET counts, and a comparator is set.
    machine.addresses.write(1 << 40, at: 0xfed0_00f0, width: 8, vcpu: 0)
    machine.addresses.write(1, at: 0xfed0_0010, width: 8, vcpu: 0)
    machine.addresses.write(0x1234, at: 0xfed0_0108, width: 8, vcpu: 0)

    let copy = try copy(of: machine)
    func read(_ port: UInt64, width: Int = 1) -> UInt64 {
      copy.ports.read(at: port, width: width, vcpu: 0) & (width == 4 ? 0xffff_ffff : width == 2 ? 0xffff : 0xff)
    }
    #expect(read(0x511) == UInt64(UInt8(ascii: "E")))
    copy.ports.write(0x47, at: 0x60, width: 1, vcpu: 0)
    copy.ports.write(0x20, at: 0x64, width: 1, vcpu: 0)
    #expect(read(0x60) == 0x47)
    #expect(read(0xe0, width: 4) == 0xdead_beef)
    #expect(read(0x92) == 0x02)
    #expect(read(0x602, width: 2) == 0x0120)
    #expect(copy.addresses.read(at: 0xff00_ffff, width: 1, vcpu: 0) & 0xff == 0xa5)
    let counter = copy.addresses.read(at: 0xfed0_00f0, width: 8, vcpu: 0)
    #expect(counter >= 1 << 40)
    #expect(copy.addresses.read(at: 0xfed0_0108, width: 8, vcpu: 0) == 0x1234)
    #expect(copy.stop.reason == nil)
    copy.ports.write(UInt64(UInt8(ascii: "n")), at: 0x8900, width: 1, vcpu: 0)
    #expect(copy.stop.reason != nil)
  }

  @Test func `a test of the PCI device goes on counting, in user space or in KVM`() throws {
    for test: UInt64 in [0, 1, 2] {
      let machine = try machine()
      machine.ports.write(test, at: 0xc000, width: 1, vcpu: 0)
      // Where a description says that it is to be written, and what: the port and its value are behind number and width.
      let place = 0xc000 + (machine.ports.read(at: 0xc004, width: 4, vcpu: 0) & 0xffff_ffff)
      let value = machine.ports.read(at: 0xc008, width: 4, vcpu: 0) & 0xffff_ffff
      if test == 0 { machine.ports.write(value, at: place, width: 1, vcpu: 0) }
      #expect(machine.vm.ioEvents.count == (test == 0 ? 0 : 1))
      let copy = try copy(of: machine)
      #expect(copy.vm.ioEvents.map(\.address) == machine.vm.ioEvents.map(\.address))
      #expect(copy.vm.ioEvents.allSatisfy { copy.interrupts.belongsToDevice($0.event) })
      #expect(copy.ports.read(at: 0xc000, width: 1, vcpu: 0) & 0xff == 3 + test)
      copy.ports.write(value, at: place, width: 1, vcpu: 0)
      // This process counts what reaches it: in user space that before, too.
      #expect(copy.ports.read(at: 0xc00c, width: 4, vcpu: 0) & 0xffff_ffff == (test == 0 ? 2 : 1))
    }
  }

  @Test(arguments: [
    DeviceState(
      name: FirmwareConfiguration.stateName, fields: ["selector": [0x1_0000], "offset": [0], "addressHigh": [0]]),
    DeviceState(name: TestMemory.stateName, fields: ["places": [0x1_0000], "bytes": [1]]),
    DeviceState(name: TestMemory.stateName, fields: ["places": [1, 2], "bytes": [1]]),
    DeviceState(name: TestMemory.stateName, fields: ["bytes": [1]]),
    DeviceState(name: ShutdownPort.stateName, fields: ["matched": [8]]),
    DeviceState(
      name: PCITestDevice.stateName,
      fields: ["command": [3], "memoryBase": [0xfebf_1000], "portBase": [0xc000], "test": [7], "count": [0]]),
    DeviceState(
      name: PCITestDevice.stateName,
      fields: ["command": [3], "memoryBase": [0xfebf_1004], "portBase": [0xc000], "test": [0], "count": [0]]),
    DeviceState(
      name: HighPrecisionEventTimer.stateName,
      fields: ["counts": [1], "counter": [0], "configurations": [1, 0, 0], "comparators": [0, 0, 0]]),
    DeviceState(name: KeyboardController.stateName),
  ]) func `a state that a device cannot be in is refused`(state: DeviceState) {
    var configuration = MachineConfiguration()
    configuration.profile = .unitTest(UnitTestPlatform())
    #expect(throws: DeviceStateError.self) { try DeviceState.validate([state], configuration) }
  }
}
