import KVM
import Testing

@testable import VMM

/// The devices of a machine for Linux, whose state a snapshot keeps.
@Suite struct LinuxDeviceTests {
  private func access(_ offset: UInt64, width: Int = 1) -> BusAccess {
    BusAccess(vcpu: 0, offset: offset, width: width)
  }

  @Test func `a clock keeps the selected register and what was written`() throws {
    let clock = RealTimeClock()
    for (index, value) in [(0x40, 0xaa), (0x41, 0x55), (0x40, 0xab)] as [(UInt64, UInt64)] {
      clock.write(index, access(0))
      clock.write(value, access(1))
    }
    let copy = RealTimeClock()
    try copy.restore(clock.save())
    #expect(copy.read(access(1)) == 0xab)
    copy.write(0x41, access(0))
    #expect(copy.read(access(1)) == 0x55)
    #expect(copy.save() != clock.save())
  }

  @Test func `the power registers are kept, and S5 switches off where there is no S3`() throws {
    let stop = try StopSwitch()
    let events = PowerManagementEvents(sleep: nil, stop: stop)
    events.write(0x0120, access(2, width: 2))
    events.write(0x0401, access(4, width: 2))
    #expect(!stop.isStopped)
    let copy = PowerManagementEvents(sleep: nil, stop: stop)
    try copy.restore(events.save())
    #expect(copy.read(access(2, width: 2)) & 0xffff == 0x0120)
    #expect(copy.read(access(4, width: 2)) & 0xffff == 0x0401)
    copy.write(0x3400, access(4, width: 2))
    guard case .poweredOff(vcpu: 0) = stop.reason else {
      Issue.record("\(String(describing: stop.reason))")
      return
    }
  }

  @Test func `the power timer goes on from where it was`() throws {
    let year: UInt64 = 31_557_600_000_000_000
    let timer = PowerManagementTimer()
    try timer.restore(DeviceState(name: PowerManagementTimer.stateName, fields: ["nanoseconds": [year]]))
    let saved = try timer.save().value("nanoseconds")
    #expect(saved >= year)
    let copy = PowerManagementTimer()
    try copy.restore(timer.save())
    #expect(try copy.save().value("nanoseconds") >= saved)
  }

  @Test(arguments: [
    DeviceState(
      name: RealTimeClock.stateName, fields: ["index": [0x80], "memory": [UInt64](repeating: 0, count: 128)]),
    DeviceState(name: RealTimeClock.stateName, fields: ["index": [0], "memory": [0]]),
    DeviceState(name: PowerManagementEvents.stateName, fields: ["enable": [0x1_0000], "control": [0]]),
    DeviceState(name: PowerManagementEvents.stateName),
    DeviceState(name: PowerManagementTimer.stateName, fields: ["nanoseconds": [.max]]),
  ]) func `a state that a device cannot be in is refused, and a machine without the device has none of it`(
    state: DeviceState
  ) {
    var configuration = MachineConfiguration()
    #expect(throws: DeviceStateError.self) { try DeviceState.validate([state], configuration) }
    configuration.profile = .linux
    #expect(throws: DeviceStateError.self) { try DeviceState.validate([state], configuration) }
  }

  @Test(
    arguments: [
      ([0xf0, 0x48, 0x0f, 0xc7, 0x0f], "CMPXCHG16B"), ([0xf0, 0x0f, 0xc7, 0x0f], "CMPXCHG8B"), ([0xcc], "INT3"),
      ([0x48, 0x0f, 0xc7, 0x1f], "XRSTORS"), ([0x48, 0x0f, 0xae, 0x2f], "XRSTOR"), ([0x0f, 0xc7], nil), ([], nil),
      ([0x90], nil),
    ] as [([UInt8], String?)])
  func `an instruction that kernels use and KVM's emulator lacks is called by its name`(bytes: [UInt8], name: String?) {
    #expect(InstructionName(bytes)?.text == name)
  }
}
