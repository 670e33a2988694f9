import APIC
import KVM
import Testing
import VMM

@testable import Evidence

/// Interrupts' ways, put together from made-up traces. The host's TSC counts nanoseconds, and the guest's is 1000 ahead.
@Suite struct JourneyTests {
  private func journeys(
    _ events: [TraceEvent], _ taken: [(vcpu: Int, vector: Vector, time: UInt64)], paths: [Int: DeliveryPath] = [:],
    recordsResidency: Bool = false
  ) -> [InterruptJourney] {
    JourneyFinder.madeUp(events, guestAhead: 1000, tellsPresence: recordsResidency, paths: paths).journeys(
      of: taken.map { InterruptTaken(vcpu: $0.vcpu, vector: $0.vector, tsc: $0.time &+ 1000) })
  }

  @Test func `an IPI that software injects into a halted vCPU has every step`() throws {
    let journey = try #require(
      journeys(
        [
          event(10_000, on: 100, .ipi(vector: 0x50)),
          event(10_100, on: 100, .accepted(vcpuID: 7, vector: 0x50, mode: .fixed)),
          event(20_000, on: 101, .wokenUp(hadSlept: true, after: 5000)),
          event(30_000, on: 101, .injected(vector: 0x50, isReinjected: false)),
          event(50_000, on: 101, .endOfInterrupt(vcpuID: 7, vector: 0x50)),
        ], [(1, 0x50, 40_000)]
      ).first)
    #expect(journey.source == .ipi(vcpu: 0))
    #expect(journey.accepted == 10_100)
    #expect(journey.wokenUp == 20_000)
    #expect(journey.injected == 30_000)
    #expect(journey.taken == 40_000)
    #expect(journey.ended == 50_000)
    #expect(journey.posted == nil)
    #expect(journey.path == .software)
  }

  @Test func `what is set in the posted-interrupt descriptor is not injected, and ends without KVM`() throws {
    let journey = try #require(
      journeys(
        [
          event(10_000, on: 99, .message(vector: 0x70)),
          event(10_100, on: 99, .accepted(vcpuID: 0, vector: 0x70, mode: .fixed)),
          event(10_200, on: 99, .acceptedByHardware(vcpuID: 0, vector: 0x70, mode: .fixed)),
        ], [(0, 0x70, 12_000)]
      ).first)
    #expect(journey.source == .message)
    #expect(journey.posted == 10_200)
    #expect(journey.injected == nil && journey.ended == nil)
    #expect(journey.path == .virtualDelivery)
  }

  @Test func `an interrupt that KVM did not see has a handler and nothing else`() throws {
    let journey = try #require(journeys([], [(0, 0x40, 5000)]).first)
    #expect(journey.source == nil && journey.accepted == nil && journey.path == nil)
    #expect(journey.taken == 5000)
    // Unless counters say it of all that the vCPU took.
    #expect(journeys([], [(0, 0x40, 5000)], paths: [0: .software]).first?.path == .software)
    #expect(journeys([], [(0, 0x40, 5000)], paths: [1: .software]).first?.path == nil)
  }

  @Test(
    arguments: [
      (2, 2, .software), (3, 2, .software), (0, 2, .virtualDelivery), (1, 2, nil), (0, 0, nil),
    ] as [(UInt64, Int, DeliveryPath?)])
  func `a counter of injections tells the way where it tells it of all interrupts`(
    injections: UInt64, taken: Int, path: DeliveryPath?
  ) {
    #expect(
      DeliveryPath(injections: injections, reinjections: nil, taken: taken, deliversVirtually: false) == path)
  }

  @Test func `interrupts of one vector each have their own events`() {
    let found = journeys(
      (0..<3).flatMap { round in
        let time = UInt64(round) * 100_000
        return [
          event(time + 10_000, on: 100, .accepted(vcpuID: 0, vector: 0x41, mode: .fixed)),
          event(time + 20_000, on: 100, .injected(vector: 0x41, isReinjected: false)),
          event(time + 20_500, on: 100, .injected(vector: 0x41, isReinjected: true)),
          event(time + 40_000, on: 100, .endOfInterrupt(vcpuID: 0, vector: 0x41)),
        ]
      }, [(0, 0x41, 30_000), (0, 0x41, 130_000), (0, 0x41, 230_000)])
    #expect(found.map(\.accepted) == [10_000, 110_000, 210_000])
    #expect(found.map(\.injected) == [20_000, 120_000, 220_000])
    #expect(found.map(\.ended) == [40_000, 140_000, 240_000])
    #expect(found.allSatisfy { $0.source == .localAPIC(nil) && $0.coalesced == 0 })
  }

  @Test func `what is accepted after an injection is the next interrupt, what comes before it is one with it`() {
    let found = journeys(
      [
        event(10_000, on: 100, .accepted(vcpuID: 0, vector: 0x41, mode: .fixed)),
        event(11_000, on: 100, .accepted(vcpuID: 0, vector: 0x41, mode: .fixed)),
        event(20_000, on: 100, .injected(vector: 0x41, isReinjected: false)),
        // While the first is not in its handler yet.
        event(21_000, on: 99, .accepted(vcpuID: 0, vector: 0x41, mode: .fixed)),
        event(40_000, on: 100, .injected(vector: 0x41, isReinjected: false)),
      ], [(0, 0x41, 30_000), (0, 0x41, 50_000)])
    #expect(found.map(\.accepted) == [10_000, 21_000])
    #expect(found.map(\.coalesced) == [1, 0])
    #expect(found.map(\.source) == [.localAPIC(nil), nil])
  }

  @Test func `a line is told by its GSI, and by its pin where it was still high`() {
    let found = journeys(
      [
        event(10_000, on: 100, .line(gsi: 20, isHigh: true)),
        event(10_100, on: 100, .accepted(vcpuID: 0, vector: 0x53, mode: .fixed)),
        event(10_200, on: 100, .ioapic(pin: 20, vector: 0x53, isMasked: false, isCoalesced: false)),
        event(30_000, on: 100, .endOfInterrupt(vcpuID: 0, vector: 0x53)),
        event(30_100, on: 100, .acknowledged(pin: 20)),
        event(30_200, on: 100, .accepted(vcpuID: 0, vector: 0x53, mode: .fixed)),
        event(50_000, on: 100, .endOfInterrupt(vcpuID: 0, vector: 0x53)),
        event(60_000, on: 100, .line(gsi: 20, isHigh: false)),
        // The timer has the same vector.
        event(60_100, on: 100, .accepted(vcpuID: 0, vector: 0x53, mode: .fixed)),
      ], [(0, 0x53, 20_000), (0, 0x53, 40_000), (0, 0x53, 70_000)])
    #expect(found.map(\.source) == [.line(gsi: 20), .heldLine(pin: 20), .localAPIC(nil)])
    #expect(found.map(\.ended) == [30_000, 50_000, nil])
  }

  @Test func `a broadcast has one source and a journey for each vCPU`() {
    let found = journeys(
      [
        event(10_000, on: 101, .ipi(vector: 0x80)),
        event(10_100, on: 101, .accepted(vcpuID: 0, vector: 0x80, mode: .fixed)),
        event(10_200, on: 101, .accepted(vcpuID: 7, vector: 0x80, mode: .fixed)),
      ], [(0, 0x80, 20_000), (1, 0x80, 19_000)])
    #expect(found.map(\.vcpu) == [1, 0])
    #expect(found.allSatisfy { $0.source == .ipi(vcpu: 1) })
  }

  @Test func `nonsense of a guest or a trace does no harm`() {
    let found = journeys(
      [
        event(.max, on: 100, .accepted(vcpuID: 0, vector: 0x40, mode: .fixed)),
        event(0, on: 100, .accepted(vcpuID: 999, vector: 0x40, mode: .fixed)),
      ], [(0, 0x40, .max), (0, 0x40, 0), (99, 0x40, 5), (-1, 0, 5)])
    #expect(found.count == 4)
  }

  /// A message for vCPU 0 that is accepted at 10 000 and taken at 20 000, and what its thread does.
  private func posted(_ places: [(time: UInt64, detail: TraceEvent.Detail)]) -> InterruptJourney? {
    let message = [
      event(10_000, on: 99, .message(vector: 0x70)),
      event(10_000, on: 99, .accepted(vcpuID: 0, vector: 0x70, mode: .fixed)),
      event(10_100, on: 99, .acceptedByHardware(vcpuID: 0, vector: 0x70, mode: .fixed)),
    ]
    let events = (message + places.map { event($0.time, on: 100, $0.detail) }).sorted { $0.time < $1.time }
    return journeys(events, [(0, 0x70, 20_000)], recordsResidency: true).first
  }

  @Test func `posted is what finds its vCPU in the guest and is handled before the next exit`() throws {
    let found = posted([(5000, .entered(vcpuID: 0)), (25_000, .halt)])
    let journey = try #require(found)
    #expect(journey.stayedInGuest == true)
    #expect(journey.exit == nil)
    #expect(journey.path == .posted)
  }

  @Test func `what drives its vCPU out of the guest is delivered at entry`() throws {
    let found = posted([(5000, .entered(vcpuID: 0)), (11_000, .externalInterrupt), (15_000, .entered(vcpuID: 0))])
    let journey = try #require(found)
    #expect(journey.stayedInGuest == false)
    #expect(journey.exit?.isExternalInterrupt == true)
    #expect(journey.path == .virtualDelivery)
  }

  @Test func `what finds its vCPU outside is delivered at entry`() throws {
    let found = posted([(5000, .entered(vcpuID: 0)), (9000, .halt), (15_000, .entered(vcpuID: 0))])
    let journey = try #require(found)
    #expect(journey.stayedInGuest == false)
    #expect(journey.exit == nil)
    #expect(journey.exitBefore?.number == 12)
  }

  /// What becomes of a message whose vCPU leaves the guest for a reason: before it is accepted, or after.
  private func residency(_ reason: ExitReason, at time: UInt64) throws -> DeliveryResidency {
    let exit = TraceEvent.Detail.exited(reason: reason)
    let found = posted([(5000, .entered(vcpuID: 0)), (time, exit), (15_000, .entered(vcpuID: 0))])
    var residency = DeliveryResidency()
    residency.add(try #require(found), exit: nil)
    return residency
  }

  @Test(arguments: [UInt64(9000), 11_000])
  func `a tick of the host's timer and a page of its are its own affair, an interprocessor interrupt of its is not`(
    time: UInt64
  ) throws {
    func count(_ number: UInt32, vector: UInt8? = nil) throws -> Int {
      let residency = try residency(ExitReason(number: number, architecture: 1, vector: vector), at: time)
      #expect(residency.atEntry == 1)
      return residency.withHostInTheWay
    }
    #expect(try count(1, vector: 0xec) == 1)
    for vector: UInt8? in [0xf2, 0xfd, 0xfb, nil] { #expect(try count(1, vector: vector) == 0) }
    // An EPT violation is the host's memory; HLT and an APIC access are not.
    #expect(try count(48) == 1)
    for number: UInt32 in [12, 44] { #expect(try count(number) == 0) }
  }

  @Test func `nothing is said where no entry was seen before`() throws {
    let found = posted([(15_000, .entered(vcpuID: 0))])
    let journey = try #require(found)
    #expect(journey.stayedInGuest == nil)
    #expect(journey.path == .virtualDelivery)
  }
}
