import APIC
import KVM
import Testing
import VMM

@testable import Evidence

/// Interrupts' ways from events alone, for guests that write down nothing. The host's TSC counts nanoseconds.
@Suite struct UnwrittenJourneyTests {
  private func accepted(_ vector: Vector, by id: UInt32 = 0) -> TraceEvent.Detail {
    .accepted(vcpuID: id, vector: vector, mode: .fixed)
  }

  private func journeys(
    _ events: [TraceEvent], taken: [InterruptTaken] = [], tellsPresence: Bool = true, isWhole: Bool = true
  ) -> [InterruptJourney] {
    JourneyFinder.madeUp(events, tellsPresence: tellsPresence, isWhole: isWhole).journeys(of: taken)
  }

  @Test func `an IPI that software injects into a halted vCPU has every step but the handler`() throws {
    let found = journeys([
      event(10_000, on: 100, .ipi(vector: 0x50)),
      event(10_100, on: 100, accepted(0x50, by: 7)),
      event(20_000, on: 101, .wokenUp(hadSlept: true, after: 15_000)),
      event(30_000, on: 101, .injected(vector: 0x50, isReinjected: false)),
      event(50_000, on: 101, .endOfInterrupt(vcpuID: 7, vector: 0x50)),
    ])
    let journey = try #require(found.first)
    #expect(found.count == 1)
    #expect(journey.vcpu == 1 && journey.source == .ipi(vcpu: 0))
    #expect(journey.accepted == 10_100)
    #expect(journey.wokenUp == 20_000)
    #expect(journey.injected == 30_000)
    #expect(journey.ended == 50_000)
    #expect(journey.taken == nil)
    #expect(journey.path == .software && !journey.isPathConcluded)
  }

  @Test func `a vCPU that was halted later was not woken by it`() throws {
    let found = journeys([
      event(10_000, on: 99, .message(vector: 0x50)),
      event(10_100, on: 99, accepted(0x50)),
      event(90_000, on: 100, .wokenUp(hadSlept: true, after: 15_000)),
    ])
    #expect(found.count == 1 && found[0].wokenUp == nil)
  }

  @Test func `the local timer is told by the vector that it has in the end`() {
    let found = journeys([
      event(10_000, on: 100, accepted(0x30)), event(20_000, on: 100, accepted(0x31)),
      event(30_000, on: 99, accepted(0x30)),
    ])
    #expect(found.map(\.source) == [.localAPIC(.timer), .localAPIC(nil), nil])
  }

  @Test func `what is accepted before an injection is one with it, and what comes after is the next`() {
    let found = journeys([
      event(10_000, on: 100, accepted(0x41)),
      event(11_000, on: 99, accepted(0x41)),
      event(20_000, on: 100, .injected(vector: 0x41, isReinjected: false)),
      event(20_500, on: 100, .injected(vector: 0x41, isReinjected: true)),
      event(21_000, on: 99, accepted(0x41)),
      event(30_000, on: 100, .endOfInterrupt(vcpuID: 0, vector: 0x41)),
      event(31_000, on: 100, .injected(vector: 0x41, isReinjected: false)),
      event(40_000, on: 100, .endOfInterrupt(vcpuID: 0, vector: 0x41)),
      event(50_000, on: 99, accepted(0x41)),
    ])
    #expect(found.map(\.accepted) == [10_000, 21_000, 50_000])
    #expect(found.map(\.injected) == [20_000, 31_000, nil])
    #expect(found.map(\.ended) == [30_000, 40_000, nil])
    #expect(found.map(\.coalesced) == [1, 0, 0])
    #expect(found.map(\.path) == [.software, .software, nil])
  }

  @Test func `an interrupt of the PIC, which no local APIC accepts, is seen from its injection on`() {
    let found = journeys([event(10_000, on: 100, .injected(vector: 0x20, isReinjected: false))])
    #expect(found.count == 1)
    #expect(found[0].source == nil && found[0].accepted == nil && found[0].injected == 10_000)
  }

  @Test func `what software injects only anew was delivered by the processor before`() {
    let found = journeys([
      event(10_000, on: 100, .injected(vector: 0x40, isReinjected: true)),
      event(11_000, on: 100, .injected(vector: 0x40, isReinjected: true)),
      event(20_000, on: 100, .injected(vector: 0x41, isReinjected: false)),
      event(21_000, on: 100, .injected(vector: 0x41, isReinjected: true)),
    ])
    #expect(found.map(\.vector) == [0x40, 0x41])
    #expect(found.map(\.injected) == [10_000, 20_000])
    #expect(found.map(\.path) == [.virtualDelivery, .software])
    #expect(found.map(\.isPathConcluded) == [true, false])
  }

  @Test func `INIT, SIPI and NMI are no interrupts`() {
    let events = [DeliveryMode.initialize, .startUp, .nmi, .smi].map {
      event(10_000, on: 100, .accepted(vcpuID: 7, vector: 0x40, mode: $0))
    }
    #expect(journeys(events).isEmpty)
  }

  /// A message for vCPU 0 that is handed to the hardware at 10 000, and what its thread does.
  private func posted(
    _ places: [(time: UInt64, detail: TraceEvent.Detail)], tellsPresence: Bool = true
  ) -> [InterruptJourney] {
    let message = [
      event(10_000, on: 99, .message(vector: 0x70)),
      event(10_000, on: 99, accepted(0x70)),
      event(10_100, on: 99, .acceptedByHardware(vcpuID: 0, vector: 0x70, mode: .fixed)),
    ]
    let events = (message + places.map { event($0.time, on: 100, $0.detail) }).sorted { $0.time < $1.time }
    return journeys(events, tellsPresence: tellsPresence)
  }

  @Test func `posted is concluded of what finds its vCPU in the guest and is not injected`() {
    let found = posted([(5000, .entered(vcpuID: 0)), (25_000, .halt)])
    #expect(found.map(\.path) == [.posted])
    #expect(found.map(\.stayedInGuest) == [true])
    #expect(found.map(\.isPathConcluded) == [true])
  }

  @Test func `an exit for an interrupt of the host's may have been the notification, and nothing is concluded from it`()
  {
    let found = posted([(5000, .entered(vcpuID: 0)), (11_000, .externalInterrupt), (15_000, .entered(vcpuID: 0))])
    #expect(found.map(\.path) == [.virtualDelivery])
    #expect(found.map(\.stayedInGuest) == [nil])
  }

  @Test func `an exit for another vector of the host's was not the notification`() {
    func exit(for vector: UInt8) -> TraceEvent.Detail {
      .exited(reason: ExitReason(number: 1, architecture: 1, vector: vector))
    }
    #expect(posted([(5000, .entered(vcpuID: 0)), (11_000, exit(for: 0xec))]).map(\.path) == [.posted])
    #expect(posted([(5000, .entered(vcpuID: 0)), (11_000, exit(for: 0xf2))]).map(\.path) == [.virtualDelivery])
  }

  @Test func `what finds its vCPU outside is delivered at entry`() {
    let found = posted([(5000, .entered(vcpuID: 0)), (9000, .halt), (15_000, .entered(vcpuID: 0))])
    #expect(found.map(\.path) == [.virtualDelivery])
    #expect(found.map(\.stayedInGuest) == [false])
  }

  @Test func `a trace that lost events concludes no posting`() {
    let found = posted([(5000, .entered(vcpuID: 0)), (25_000, .halt)], tellsPresence: false)
    #expect(found.map(\.path) == [.virtualDelivery])
    #expect(found.map(\.stayedInGuest) == [nil])
  }

  @Test func `what is injected in spite of the hardware came by software`() {
    let found = posted([(5000, .entered(vcpuID: 0)), (12_000, .injected(vector: 0x70, isReinjected: false))])
    #expect(found.map(\.path) == [.software])
  }

  @Test func `two that come while the vCPU is outside are one, and two with an entry between them are not`() {
    func pair(_ between: TraceEvent.Detail?) -> [Int] {
      var events = [
        event(1000, on: 100, .entered(vcpuID: 0)), event(2000, on: 100, .halt),
        event(10_000, on: 99, accepted(0x70)),
        event(10_100, on: 99, .acceptedByHardware(vcpuID: 0, vector: 0x70, mode: .fixed)),
        event(20_000, on: 99, accepted(0x70)),
        event(20_100, on: 99, .acceptedByHardware(vcpuID: 0, vector: 0x70, mode: .fixed)),
      ]
      if let between { events.insert(event(15_000, on: 100, between), at: 4) }
      return journeys(events).map(\.coalesced)
    }
    #expect(pair(nil) == [1])
    #expect(pair(.entered(vcpuID: 0)) == [0, 0])
  }

  @Test func `an EOI that KVM sees ends what was accepted, in order`() {
    let found = journeys(
      [
        event(10_000, on: 100, accepted(0x41)), event(20_000, on: 100, .endOfInterrupt(vcpuID: 0, vector: 0x41)),
        event(30_000, on: 100, accepted(0x41)), event(31_000, on: 99, accepted(0x41)),
        event(40_000, on: 100, .endOfInterrupt(vcpuID: 0, vector: 0x41)),
        event(50_000, on: 100, .endOfInterrupt(vcpuID: 0, vector: 0x41)),
        event(60_000, on: 100, .endOfInterrupt(vcpuID: 0, vector: 0x41)),
      ], tellsPresence: false)
    #expect(found.map(\.accepted) == [10_000, 30_000, 31_000, nil])
    #expect(found.map(\.ended) == [20_000, 40_000, 50_000, 60_000])
  }

  @Test func `what a guest wrote down is told by its records, and the rest by events`() {
    let found = journeys(
      [
        event(10_000, on: 100, accepted(0x41)), event(20_000, on: 100, .injected(vector: 0x41, isReinjected: false)),
        event(50_000, on: 100, accepted(0x41)), event(60_000, on: 100, accepted(0x42)),
      ], taken: [InterruptTaken(vcpu: 0, vector: 0x41, tsc: 30_000)])
    #expect(found.map(\.vector) == [0x41, 0x41, 0x42])
    #expect(found.map(\.taken) == [30_000, nil, nil])
    #expect(found.map(\.accepted) == [10_000, 50_000, 60_000])
  }

  @Test func `no more is kept than may be, but entries and exits do not count`() {
    var kept = JourneyEvents(keeping: 3)
    for time in 0..<100 {
      kept.take(event(UInt64(time), on: 100, .entered(vcpuID: 0)))
      kept.take(event(UInt64(time), on: 100, .halt))
    }
    for time in 100..<105 { kept.take(event(UInt64(time), on: 99, accepted(0x41))) }
    #expect(kept.seen(0, 0x41).accepted.count == 3)
    #expect(kept.dropped == 2)
  }
}
