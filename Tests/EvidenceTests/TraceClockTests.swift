import Testing

@testable import Evidence

@Suite struct TraceClockTests {
  private let start = ContinuousClock.now

  /// A reading so many nanoseconds after the first.
  private func reading(_ nanoseconds: Int64, _ cycles: UInt64) -> TraceClock.Reading {
    TraceClock.Reading(value: start + .nanoseconds(nanoseconds), cycles: cycles, width: 0)
  }

  @Test func `what was told stays as it is while more readings come`() {
    var clock = TraceClock(reading(0, 5000), reading(0, 5000))
    clock.mark(reading(1000, 7000))
    let moments = (0...2000).map { clock.nanoseconds(5000 + $0) }
    #expect(moments.first == 0 && moments[1000] == 500 && moments.last == 1000)
    #expect(moments == moments.sorted())
    // This host's clock was set slower meanwhile.
    clock.mark(reading(1900, 9000))
    #expect((0...2000).map { clock.nanoseconds(5000 + $0) } == moments)
    #expect(clock.nanoseconds(8000) == 1450)
    #expect(clock.nanoseconds(9000) == 1900)
  }

  @Test func `a reading that is no later than the last one is left out`() {
    var clock = TraceClock(reading(0, 0), reading(0, 0))
    clock.mark(reading(100, 200))
    clock.mark(reading(100, 300))
    clock.mark(reading(50, 400))
    #expect(clock.nanoseconds(200) == 100)
    #expect(clock.nanoseconds(100) == 50)
  }

  @Test func `any number of readings takes bounded memory, and times stay in order`() {
    var clock = TraceClock(reading(0, 0), reading(0, 0))
    for step in 1...400_000 { clock.mark(reading(Int64(step) * 20, UInt64(step) * 50)) }
    var last = Int64.min
    for step in stride(from: UInt64(0), through: 20_000_000, by: 9973) {
      let time = clock.nanoseconds(step)
      #expect(time >= last && abs(time - Int64(step) * 20 / 50) <= 1)
      last = time
    }
  }
}
