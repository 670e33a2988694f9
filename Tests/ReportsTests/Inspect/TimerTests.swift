import APIC
import KVM
import MachineState
import Reports
import TestStates
import Testing

/// What remains of the time of the local APIC's timer and the PIT's.
@Suite struct TimerTests {
  private func timer(_ change: (inout MachineState) -> Void) throws -> TimerReport {
    var state = MadeUpMachine.state()
    change(&state)
    return try #require(Inspection(state).vcpus.first?.timer)
  }

  private func counting(_ mode: TimerMode, busCycle: UInt64? = nil, count: UInt32 = 250_000) throws -> TimerReport {
    try timer { state in
      if let busCycle { state.settings.capabilities.append(.init(.apicBusCycles, [busCycle, 0, 0, 0])) }
      state.vcpus[0].localAPIC.setLVT(.timer, to: .timer(0x40, mode: mode))
      state.vcpus[0].localAPIC.initialCount = 1_000_000
      state.vcpus[0].localAPIC.currentCount = count
      state.vcpus[0].localAPIC.divide = .by16
    }
  }

  @Test func `a count is cycles of the bus, of a nanosecond unless it was set`() throws {
    let oneShot = try counting(.oneShot)
    #expect(oneShot.phase == .running)
    #expect(oneShot.remaining == 4_000_000)
    #expect(oneShot.period == nil)
    let slow = try counting(.periodic, busCycle: 10)
    #expect(slow.remaining == 40_000_000)
    #expect(slow.period == 160_000_000)
    #expect(slow.text == "40 ms left: 250000 of 1000000, divided by 16, every 160 ms")
  }

  @Test func `a count of 0 is at its end`() throws {
    #expect(try counting(.oneShot, count: 0).phase == .stopped)
    #expect(try timer { _ in }.text == "stopped")
  }

  @Test func `a bus cycle without end is no trap`() throws {
    #expect(try counting(.periodic, busCycle: .max).remaining == .max)
  }

  private func deadline(_ target: UInt64, tsc: UInt64 = 1_000_000_000, kHz: UInt32 = 2_000_000) throws -> TimerReport {
    try timer { state in
      state.vcpus[0].localAPIC.setLVT(.timer, to: .timer(0x41, mode: .tscDeadline))
      state.vcpus[0].msrs = [MSREntry(index: MSR.tsc, value: tsc), MSREntry(index: MSR.tscDeadline, value: target)]
      state.vcpus[0].tscKHz = kHz
    }
  }

  @Test func `a deadline is as far away as the TSC takes`() throws {
    let ahead = try deadline(1_004_000_000)
    #expect(ahead.phase == .running)
    #expect(ahead.remaining == 2_000_000)
    #expect(ahead.text == "2 ms left, until the TSC is 0x3bd7d300")
    let overdue = try deadline(999_000_000)
    #expect(overdue.phase == .overdue)
    #expect(overdue.remaining == -500_000)
    #expect(overdue.text == "500 us overdue: it fires when the vCPU goes on")
    #expect(try deadline(0).phase == .stopped)
  }

  @Test func `the end of time is no trap`() throws {
    #expect(try deadline(.max, tsc: 0, kHz: 1).remaining == .max)
    #expect(try deadline(.max, tsc: 0, kHz: 0).remaining == nil)
    #expect(try deadline(1, tsc: .max).remaining != nil)
  }

  @Test func `without its MSR a deadline is not known`() throws {
    let report = try timer {
      $0.vcpus[0].localAPIC.setLVT(.timer, to: .timer(0x41, mode: .tscDeadline))
      $0.vcpus[0].msrs = []
    }
    #expect(report.text == "the deadline is in an MSR, which this file does not have")
  }

  private func channel(mode: UInt8, count: UInt32 = 11932, elapsed: UInt64) throws -> PITChannelInspection {
    var state = MadeUpMachine.state()
    state.pit?.channel0.mode = mode
    state.pit?.channel0.count = count
    state.pit?.channel0.countLoadTime = 1_000_000_000
    state.time.hostMonotonic = 1_000_000_000 + elapsed
    return try #require(Inspection(state).pit?.first)
  }

  @Test func `the PIT's channel 0 fires when its count is at its end, again and again in modes 2 and 3`() throws {
    let period: Int64 = 10_000_150
    #expect(try channel(mode: 0, elapsed: 4_000_000).remaining == period - 4_000_000)
    #expect(try channel(mode: 0, elapsed: 40_000_000).remaining == nil)
    #expect(try channel(mode: 2, elapsed: 25_000_000).remaining == 3 * period - 25_000_000)
    #expect(try channel(mode: 3, elapsed: 0).remaining == period)
    #expect(try channel(mode: 9, elapsed: 5).mode == "no mode")
    #expect(try channel(mode: 2, count: 0, elapsed: 5).period == nil)
  }

  @Test func `load times at the ends of time are no trap`() {
    var state = MadeUpMachine.state()
    for (load, now) in [(Int64.min, UInt64.max), (.max, 1), (.min, UInt64(Int64.max)), (-1, 5)] as [(Int64, UInt64)] {
      state.pit?.channel0.mode = 2
      state.pit?.channel0.count = .max
      state.pit?.channel0.countLoadTime = load
      state.time.hostMonotonic = now
      #expect(Inspection(state).pit?.count == 3)
    }
  }
}
