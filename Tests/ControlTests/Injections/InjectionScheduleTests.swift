import Testing
import VMM

@testable import Control

/// Which injection is next by the clock.
@Suite struct InjectionScheduleTests {
  @Test func `injections come by their times, and of one time as they were written`() throws {
    let injections = try ["nmi:0@2ms", "nmi:0@1ms x3/1ms", "nmi:0@3ms", "nmi:0@0ms"].map { try Injection(written: $0) }
    var schedule = InjectionSchedule(injections)
    let start = ContinuousClock.now
    for (index, injection) in injections.enumerated() {
      if case .time(let time) = injection.moment { schedule.add(index, first: start + time) }
    }
    #expect(schedule.nextTime == start)
    var taken: [[Int]] = []
    while let next = schedule.take(at: start + .milliseconds(100)) { taken.append([next.injection, next.occurrence]) }
    #expect(taken == [[3, 0], [1, 0], [0, 0], [1, 1], [1, 2], [2, 0]])
    #expect(schedule.isEmpty)
    #expect(schedule.nextTime == nil)
  }

  @Test func `none is taken before its time`() throws {
    var schedule = InjectionSchedule([try Injection(written: "nmi:0@exit:1 x2/1ms")])
    let start = ContinuousClock.now
    schedule.add(0, first: start, from: 1)
    #expect(schedule.take(at: start) == nil)
    #expect(schedule.nextTime == start + .milliseconds(1))
    #expect(schedule.take(at: start + .milliseconds(1))?.occurrence == 1)
    schedule.add(0, first: start, from: 2)
    #expect(schedule.isEmpty)
  }
}
