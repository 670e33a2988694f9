import APIC
import Testing

@testable import Evidence

/// Events of several processors in one order.
@Suite struct EventMergeTests {
  private func event(_ time: UInt64, _ thread: Int32 = 0) -> TraceEvent {
    TraceEvent(time: time, thread: thread, detail: .ipi(vector: 0x40))
  }

  private func times(_ merge: inout EventMerge, before limit: UInt64? = nil) -> [UInt64] {
    var times: [UInt64] = []
    merge.take(before: limit) { times.append($0.time) }
    return times
  }

  @Test func `events of several processors come in the order of time`() {
    var merge = EventMerge()
    merge.append([[1, 5, 6, 20].map { event($0) }, [], [2, 3, 21].map { event($0) }])
    #expect(times(&merge) == [1, 2, 3, 5, 6, 20, 21])
    #expect(times(&merge).isEmpty)
  }

  @Test func `what is later than a moment waits for what other processors have not told yet`() {
    var merge = EventMerge()
    merge.append([[1, 10, 30].map { event($0) }, [5].map { event($0) }])
    #expect(times(&merge, before: 10) == [1, 5])
    merge.append([[], [12, 40].map { event($0) }])
    #expect(times(&merge, before: 35) == [10, 12, 30])
    #expect(times(&merge) == [40])
  }

  @Test func `events of one moment keep the order of their processors, and all are there`() {
    var merge = EventMerge()
    merge.append([[event(5, 1), event(5, 2)], [event(5, 3), event(.max, 4)]])
    var threads: [Int32] = []
    merge.take { threads.append($0.thread) }
    #expect(threads == [1, 2, 3, 4])
  }

  @Test func `times that go back, as on a damaged page, do no harm`() {
    var merge = EventMerge()
    merge.append([[9, 1, 7].map { event($0) }, [3, 2].map { event($0) }])
    #expect(times(&merge).sorted() == [1, 2, 3, 7, 9])
  }

  @Test func `as many events are kept as may be, and the others count as lost`() {
    var all = ProcessorEvents()
    var new = ProcessorEvents()
    new.events = [[event(1), event(2)], [event(3)]]
    all.append(new, keeping: 4)
    all.append(new, keeping: 4)
    all.append(new, keeping: 4)
    #expect(all.count == 4)
    #expect(all.lost == 5)
  }
}
