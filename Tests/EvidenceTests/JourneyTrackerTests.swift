import APIC
import TestImages
import Testing

@testable import Evidence

/// Interrupts that are followed while their events come. The host's TSC counts nanoseconds.
@Suite struct JourneyTrackerTests {
  /// The journeys of events that were made up, told as they come.
  private func tracked(
    _ events: [TraceEvent], threads: [Int32?] = [100, 101], recordsResidency: Bool = true, learnsThreads: Bool = false
  ) -> [TrackedJourney] {
    var tracker = JourneyTracker(.madeUp, recordsResidency: recordsResidency, learnsThreads: learnsThreads)
    for (id, thread) in zip([UInt32(0), 7], threads) { tracker.addVCPU(id: id, thread: thread) }
    var found: [TrackedJourney] = []
    for event in events { tracker.take(event) { found.append($0) } }
    tracker.finish { found.append($0) }
    return found
  }

  private func accepted(_ vector: Vector, by id: UInt32 = 0) -> TraceEvent.Detail {
    .accepted(vcpuID: id, vector: vector, mode: .fixed)
  }

  @Test func `an IPI that software injects into a halted vCPU is told at its EOI with every step`() throws {
    let found = tracked([
      event(10_000, on: 100, .ipi(vector: 0x50)),
      event(10_100, on: 100, accepted(0x50, by: 7)),
      event(20_000, on: 101, .wokenUp(hadSlept: true, after: 15_000)),
      event(30_000, on: 101, .injected(vector: 0x50, isReinjected: false)),
      event(50_000, on: 101, .endOfInterrupt(vcpuID: 7, vector: 0x50)),
    ])
    let journey = try #require(found.first)
    #expect(found.count == 1)
    #expect(journey.vcpu == 1 && journey.vector == 0x50 && journey.source == .ipi(vcpu: 0))
    #expect(journey.accepted == 10_100 && journey.wokenUp == 20_000)
    #expect(journey.injected == 30_000 && journey.ended == 50_000)
    #expect(journey.path == .software && !journey.isPathConcluded)
  }

  @Test func `what is followed and what is put together afterwards is the same for any order of events`() {
    var generator = SeededGenerator(seed: 42)
    for round in 0..<200 {
      // Software injects from the start on, so that what is known at the end is known at the beginning as well.
      var events = [
        event(1, on: 100, .injected(vector: 0x20, isReinjected: false)),
        event(1, on: 101, .injected(vector: 0x20, isReinjected: false)),
        event(2, on: 100, .entered(vcpuID: 0)), event(2, on: 101, .entered(vcpuID: 7)),
      ]
      var inGuest = [true, true]
      for step in 1...120 {
        let vcpu = Int(generator.next() % 2)
        let (id, thread) = ([UInt32(0), 7][vcpu], Int32(100 + vcpu))
        let vector = Vector(rawValue: 0x40 + UInt8(generator.next() % 3))
        let raiser = [thread, 201 - thread, 99][Int(generator.next() % 3)]
        let detail: (Int32, TraceEvent.Detail)
        switch generator.next() % 8 {
        case 0, 1: detail = (raiser, accepted(vector, by: id))
        case 2: detail = (raiser, .acceptedByHardware(vcpuID: id, vector: vector, mode: .fixed))
        case 3: detail = (thread, .injected(vector: vector, isReinjected: generator.next() % 4 == 0))
        case 4: detail = (thread, .endOfInterrupt(vcpuID: id, vector: vector))
        case 5: detail = (raiser, generator.next() % 2 == 0 ? .ipi(vector: vector) : .message(vector: vector))
        case 6: detail = (thread, .wokenUp(hadSlept: true, after: generator.next() % 300_000))
        default:
          let exit = [TraceEvent.Detail.halt, .externalInterrupt][Int(generator.next() % 2)]
          detail = (thread, inGuest[vcpu] ? exit : .entered(vcpuID: id))
          inGuest[vcpu].toggle()
        }
        events.append(event(UInt64(step) * 10_000, on: detail.0, detail.1))
      }
      let live = tracked(events).map(Summary.init).sorted()
      let finder = JourneyFinder.madeUp(events, tellsPresence: true, localVectors: [])
      let later = finder.journeys(of: []).map(Summary.init).sorted()
      #expect(live == later, "round \(round)")
    }
  }

  @Test func `an entry tells which thread runs a vCPU, where no other machine is recorded`() {
    let events = [
      event(10_000, on: 55, .entered(vcpuID: 7)), event(10_500, on: 55, .halt),
      event(11_000, on: 55, .ipi(vector: 0x41)), event(11_000, on: 55, accepted(0x41, by: 0)),
    ]
    #expect(tracked(events, threads: [nil, nil], learnsThreads: true).map(\.source) == [.ipi(vcpu: 1)])
    #expect(tracked(events, threads: [nil, nil]).map(\.source) == [.ipi(vcpu: nil)])
  }

  @Test func `a vCPU that is not followed is left alone`() {
    #expect(tracked([event(10_000, on: 99, accepted(0x41, by: 3)), event(11_000, on: 77, .halt)]).isEmpty)
  }

  @Test func `where events were lost nothing is concluded until later`() {
    var tracker = JourneyTracker(.madeUp, recordsResidency: true, learnsThreads: false)
    tracker.addVCPU(id: 0, thread: 100)
    var found: [TrackedJourney] = []
    let posted = [
      event(10_000, on: 99, accepted(0x41)),
      event(10_100, on: 99, .acceptedByHardware(vcpuID: 0, vector: 0x41, mode: .fixed)),
    ]
    tracker.take(event(9000, on: 100, .entered(vcpuID: 0))) { found.append($0) }
    tracker.lose(before: 12_000) { found.append($0) }
    for event in posted { tracker.take(event) { found.append($0) } }
    tracker.take(event(13_000, on: 100, .entered(vcpuID: 0))) { found.append($0) }
    for event in posted {
      tracker.take(TraceEvent(time: event.time + 10_000, thread: 99, detail: event.detail)) { found.append($0) }
    }
    tracker.finish { found.append($0) }
    #expect(found.map(\.accepted) == [10_000, 20_000])
    #expect(found.map(\.path) == [.virtualDelivery, .posted])
    #expect(found.map(\.stayedInGuest) == [nil, true])
  }

  @Test func `no more than a few hundred interrupts await an exit`() {
    var tracker = JourneyTracker(.madeUp, recordsResidency: true, learnsThreads: false)
    tracker.addVCPU(id: 0, thread: 100)
    tracker.take(event(1, on: 100, .entered(vcpuID: 0))) { _ in }
    var found: [TrackedJourney] = []
    for time in 1...10_000 {
      let time = UInt64(time) * 1000
      tracker.take(event(time, on: 99, accepted(0x41))) { found.append($0) }
      tracker.take(event(time + 1, on: 99, .acceptedByHardware(vcpuID: 0, vector: 0x41, mode: .fixed))) {
        found.append($0)
      }
    }
    #expect(found.count > 9000)
    #expect(found.allSatisfy { $0.stayedInGuest == nil })
  }

  @Test func `each step says whose it is, where an interrupt came from and whether it is one with another`() {
    var tracker = JourneyTracker(.madeUp, recordsResidency: true, learnsThreads: false)
    tracker.addVCPU(id: 0, thread: 100)
    tracker.take(event(1, on: 100, .injected(vector: 0x20, isReinjected: false))) { _ in }
    tracker.take(event(10, on: 99, .message(vector: 0x41))) { _ in }
    let first = tracker.take(event(11, on: 99, accepted(0x41))) { _ in }
    let second = tracker.take(event(12, on: 99, accepted(0x41))) { _ in }
    #expect(first.vcpu == 0 && first.source == .message && !first.isCoalesced)
    #expect(second.vcpu == 0 && second.isCoalesced)
    #expect(tracker.take(event(13, on: 99, accepted(0x41, by: 9))) { _ in }.vcpu == nil)
  }
}

/// What both ways of following must agree on.
private struct Summary: Hashable, Comparable, CustomStringConvertible {
  let description: String

  init(_ journey: TrackedJourney) {
    description = Self.text(
      journey.vcpu, journey.vector, journey.source,
      [journey.accepted, journey.posted, journey.wokenUp, journey.injected, journey.ended].map { $0.map(Int64.init) },
      journey.coalesced, journey.path, journey.isPathConcluded, journey.stayedInGuest)
  }

  init(_ journey: InterruptJourney) {
    description = Self.text(
      journey.vcpu, journey.vector, journey.source,
      [journey.accepted, journey.posted, journey.wokenUp, journey.injected, journey.ended], journey.coalesced,
      journey.path, journey.isPathConcluded, journey.stayedInGuest)
  }

  private static func text(_ parts: Any?...) -> String { "\(parts)" }

  static func < (one: Summary, other: Summary) -> Bool { one.description < other.description }
}
