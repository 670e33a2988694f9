import APIC
import Testing

@testable import Evidence

/// Interrupts that one vCPU's processor sends to another, of which no event tells: from made-up traces.
@Suite struct ProcessorIPITests {
  static let vector: Vector = 0x56

  /// vCPU 0 sends to vCPU 1, KVM's id of which is 7, from 1000 on.
  private func journeys(_ events: [TraceEvent], taken: UInt64..., since: UInt64? = 1000) -> [InterruptJourney] {
    var finder = JourneyFinder.madeUp(events, tellsPresence: true)
    let place = JourneyEvents.Place(vcpu: 1, vector: Self.vector)
    finder.processorIPIs = ProcessorIPIs(
      since.map { [place: ProcessorIPIs.Sender(vcpu: 0, since: $0)] } ?? [:], events)
    return finder.writtenJourneys(of: taken.map { InterruptTaken(vcpu: 1, vector: Self.vector, tsc: $0) })
  }

  @Test func `an IPI that KVM did not see was posted where its target stayed in the guest`() throws {
    let found = journeys([event(500, on: 101, .entered(vcpuID: 7))], taken: 2000, 3000)
    #expect(found.map(\.path) == [.posted, .posted])
    #expect(found.allSatisfy { $0.source == .ipi(vcpu: 0) && $0.stayedInGuest == true && $0.isPathConcluded })
    #expect(found.allSatisfy { $0.accepted == nil && $0.posted == nil })
  }

  @Test func `one that may have found its target outside was delivered at an entry`() {
    let events = [
      event(500, on: 101, .entered(vcpuID: 7)), event(2500, on: 101, .externalInterrupt),
      event(2600, on: 101, .entered(vcpuID: 7)),
    ]
    let found = journeys(events, taken: 2000, 3000, 4000)
    #expect(found.map(\.path) == [.posted, .virtualDelivery, .posted])
    #expect(found.map(\.stayedInGuest) == [true, false, true])
    // Sent before its target entered.
    #expect(journeys([event(1500, on: 101, .entered(vcpuID: 7))], taken: 2000).map(\.path) == [.virtualDelivery])
    // Taken after its target left, by TSCs that differ.
    let left = [event(500, on: 101, .entered(vcpuID: 7)), event(1900, on: 101, .externalInterrupt)]
    #expect(journeys(left, taken: 2000).map(\.path) == [.virtualDelivery])
  }

  @Test func `of several senders none is named`() throws {
    var finder = JourneyFinder.madeUp([event(500, on: 101, .entered(vcpuID: 7))], tellsPresence: true)
    finder.processorIPIs = ProcessorIPIs(
      [JourneyEvents.Place(vcpu: 1, vector: Self.vector): ProcessorIPIs.Sender(vcpu: nil, since: 1000)],
      [event(500, on: 101, .entered(vcpuID: 7))])
    let found = finder.writtenJourneys(of: [InterruptTaken(vcpu: 1, vector: Self.vector, tsc: 2000)])
    #expect(found.map(\.source) == [.ipi(vcpu: nil)] && found.map(\.path) == [.posted])
  }

  @Test func `where nobody is known to have sent it, nothing tells`() {
    let events = [event(500, on: 101, .entered(vcpuID: 7))]
    #expect(journeys(events, taken: 2000, since: nil).map(\.path) == [nil])
    #expect(journeys(events, taken: 2000, since: 2500).map(\.path) == [nil])
  }

  @Test func `one that KVM accepted is known by that`() throws {
    let journey = try #require(
      journeys(
        [
          event(500, on: 101, .entered(vcpuID: 7)), event(1100, on: 100, .ipi(vector: Self.vector)),
          event(1200, on: 100, .accepted(vcpuID: 7, vector: Self.vector, mode: .fixed)),
          event(1300, on: 100, .acceptedByHardware(vcpuID: 7, vector: Self.vector, mode: .fixed)),
        ], taken: 2000
      ).first)
    #expect(journey.accepted == 1200 && journey.posted == 1300)
    #expect(journey.path == .posted && !journey.isPathConcluded)
  }

  @Test func `the evidence says that the sender's processor posted it`() throws {
    var residency = DeliveryResidency()
    for journey in journeys([event(500, on: 101, .entered(vcpuID: 7))], taken: 2000, 3000) {
      residency.add(journey, exit: nil)
    }
    #expect(residency.inGuest == 2 && residency.byProcessor == 2 && residency.provesPosting(of: 2))
    #expect(residency.description.contains("2 posted by the sender's processor"))
    residency = DeliveryResidency()
    for journey in journeys([event(1500, on: 101, .entered(vcpuID: 7))], taken: 2000) {
      residency.add(journey, exit: nil)
    }
    #expect(residency.byProcessor == 0 && residency.atEntry == 1 && !residency.provesPosting(of: 1))
  }
}
