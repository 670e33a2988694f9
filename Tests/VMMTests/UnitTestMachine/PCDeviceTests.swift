import KVM
import Testing

@testable import VMM

/// The PC's small devices, each by itself.
@Suite struct PCDeviceTests {
  private let stop: StopSwitch

  init() throws { stop = try StopSwitch() }

  private func access(_ offset: UInt64, _ width: Int = 1) -> BusAccess {
    BusAccess(vcpu: 0, offset: offset, width: width)
  }

  @Test func `the HPET counts while it is enabled, and can be set while it is not`() {
    let timer = HighPrecisionEventTimer()
    #expect(timer.read(access(0, 8)) == HighPrecisionEventTimer.capabilities)
    #expect(timer.read(access(4, 4)) == 10_000_000)
    #expect(HighPrecisionEventTimer.ticks(in: .milliseconds(1500)) == 150_000_000)
    timer.write(0x1234_5678_9abc, access(0xf0, 8))
    #expect(timer.read(access(0xf0, 8)) == 0x1234_5678_9abc)
    timer.write(1, access(0x10, 4))
    #expect(timer.read(access(0x10, 8)) == 1)
    timer.write(0, access(0xf0, 8))
    while timer.read(access(0xf0, 8)) == 0x1234_5678_9abc {}
    timer.write(0, access(0x10, 4))
    let count = timer.read(access(0xf0, 8))
    #expect(count > 0x1234_5678_9abc)
    timer.write(0xff, access(0xf4, 4))
    #expect(timer.read(access(0xf0, 8)) == 0xff << 32 | count & 0xffff_ffff)
  }

  @Test func `the HPET's comparators are there and offer no interrupt`() {
    let timer = HighPrecisionEventTimer()
    for index in UInt64(0)..<3 {
      timer.write(.max, access(0x100 + 0x20 * index, 8))
      #expect(timer.read(access(0x100 + 0x20 * index, 8)) == 0x126)
      timer.write(index, access(0x108 + 0x20 * index, 8))
      #expect(timer.read(access(0x108 + 0x20 * index, 8)) == index)
    }
    timer.write(.max, access(0x3f8, 8))
    #expect(timer.read(access(0x3f8, 8)) == 0)
    #expect(timer.read(access(0x20, 8)) == 0)
  }

  @Test func `the power management timer counts 24 bits at 3.579545 MHz`() {
    #expect(PowerManagementTimer.count(after: .zero) == 0)
    #expect(PowerManagementTimer.count(after: .seconds(1)) == 3_579_545)
    #expect(PowerManagementTimer.count(after: .milliseconds(1)) == 3579)
    #expect(PowerManagementTimer.count(after: .seconds(1000)) == 3_579_545_000 & 0xff_ffff)
  }

  @Test(arguments: [
    (0, "1970-1-1"), (951_782_400, "2000-2-29"), (951_868_800, "2000-3-1"), (1_798_675_199, "2026-12-30"),
    (4_102_444_800, "2100-1-1"),
  ])
  func `a calendar's date follows from the seconds since 1970`(seconds: Int, date: String) {
    var state = RealTimeClock.State()
    // In binary.
    state.memory[0x0b] = 0x06
    let found = [0x32, 9, 8, 7].map { Int(RealTimeClock.value(of: $0, state, seconds: seconds, nanoseconds: 0)) }
    #expect("\(found[0] * 100 + found[1])-\(found[2])-\(found[3])" == date)
  }

  @Test func `the clock shows the time in decimal or binary, and keeps what is stored`() {
    var state = RealTimeClock.State()
    // The 1st of March 2000, a Wednesday, at 23:45:56.
    let time = 951_868_800 + 23 * 3600 + 45 * 60 + 56
    func show(_ index: UInt8) -> UInt8 { RealTimeClock.value(of: index, state, seconds: time, nanoseconds: 0) }
    #expect([0, 2, 4, 6, 7, 8, 9, 0x32].map(show) == [0x56, 0x45, 0x23, 4, 1, 3, 0, 0x20])
    state.memory[0x0b] = 0x04
    #expect([0, 2, 4].map(show) == [56, 45, 11 | 0x80])
    let clock = RealTimeClock()
    clock.write(0x8f, access(0))
    clock.write(0x0a, access(1))
    #expect(clock.read(access(1)) == 0x0a)
  }

  @Test func `an update of the clock is in progress at the end of a second`() {
    let state = RealTimeClock.State()
    #expect(RealTimeClock.value(of: 0x0a, state, seconds: 0, nanoseconds: 0) & 0x80 == 0)
    #expect(RealTimeClock.value(of: 0x0a, state, seconds: 0, nanoseconds: 999_900_000) & 0x80 != 0)
  }

  @Test func `the keyboard controller answers its self-test and shows its output port`() {
    let controller = KeyboardController(stop: stop)
    let (data, command) = (controller.port(isCommand: false), controller.port(isCommand: true))
    #expect(command.read(access(0)) & 3 == 0)
    command.write(0xaa, access(0))
    #expect(command.read(access(0)) & 1 == 1)
    #expect(data.read(access(0)) == 0x55)
    #expect(command.read(access(0)) & 1 == 0)
    command.write(0xd0, access(0))
    #expect(data.read(access(0)) == 0x03)
    #expect(!stop.isStopped)
  }

  @Test func `clearing bit 0 of the keyboard controller's output port resets`() {
    let controller = KeyboardController(stop: stop)
    controller.port(isCommand: true).write(0xd1, access(0))
    controller.port(isCommand: false).write(0x03, access(0))
    #expect(!stop.isStopped)
    controller.port(isCommand: true).write(0xd1, access(0))
    controller.port(isCommand: false).write(0x02, access(0))
    #expect(stop.reason?.description == "vCPU 0 reset the machine")
  }

  @Test func `port 92 resets when bit 0 rises`() {
    let port = SystemControlPortA(stop: stop)
    port.write(0x02, access(0))
    #expect(port.read(access(0)) == 0x02)
    #expect(!stop.isStopped)
    port.write(0x03, access(0))
    #expect(stop.isStopped)
  }

  @Test func `a sleep from which nothing wakes ends the machine`() throws {
    let sleep = SleepState(
      vcpus: [], memory: try GuestMemory(size: 1 << 20), clock: RealTimeClock(), stop: stop)
    let events = PowerManagementEvents(sleep: sleep, stop: stop)
    events.write(0x0000, access(4, 2))
    #expect(!stop.isStopped)
    events.write(0x2000, access(4, 2))
    #expect(stop.reason?.description == "vCPU 0 raised the system event 'sleep of type 0'")
  }

  @Test func `the alarm goes off at its time, and any of its parts may stand for every value`() {
    var state = RealTimeClock.State()
    let noon = 951_868_800 + 12 * 3600
    #expect(RealTimeClock.secondsToAlarm(state, from: noon) == nil)
    state.memory[0x0b] |= 0x20
    (state.memory[1], state.memory[3], state.memory[5]) = (0x30, 0x00, 0x13)
    #expect(RealTimeClock.secondsToAlarm(state, from: noon) == 3600 + 30)
    (state.memory[1], state.memory[3], state.memory[5]) = (0xc0, 0xc0, 0xc0)
    #expect(RealTimeClock.secondsToAlarm(state, from: noon) == 1)
    state.memory[1] = 0x77
    #expect(RealTimeClock.secondsToAlarm(state, from: noon) == nil)
  }

  @Test func `only the whole word Shutdown ends the machine`() {
    let port = ShutdownPort(stop: stop)
    for byte in "ShutShutdow".utf8 { port.write(UInt64(byte), access(0)) }
    #expect(!stop.isStopped)
    port.write(UInt64(UInt8(ascii: "n")), access(0))
    #expect(stop.isStopped)
  }

  @Test func `the test latch and the test memory read as they were written, in any width`() {
    let latch = TestLatch()
    latch.write(0x1122_3344, access(0, 4))
    latch.write(0xaa, access(1))
    #expect(latch.read(access(0, 4)) == 0x1122_aa44)
    #expect(latch.read(access(2, 2)) == 0x1122)
    let memory = TestMemory()
    memory.write(0x0102_0304_0506_0708, access(0x8000, 8))
    #expect(memory.read(access(0x8002, 4)) & 0xffff_ffff == 0x0304_0506)
    memory.write(.max, access(0xfffe, 8))
    #expect(memory.read(access(0xfffe, 8)) == 0xffff)
  }
}
