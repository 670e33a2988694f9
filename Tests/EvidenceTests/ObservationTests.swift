import APIC
import Testing

@testable import Evidence

/// Conclusions from counters and events that were made up.
@Suite struct ObservationTests {
  static let vector: Vector = 0x52

  static func observe(
    _ growth: [String: UInt64]?, taken: [Vector: Int] = [vector: 1], events: [TraceEvent.Detail]? = nil,
    lost: UInt64 = 0, residency: [Vector: DeliveryResidency]? = nil, deliversVirtually: Bool? = false
  ) -> Observation {
    let vcpu = VCPUObservation(
      index: 0, id: 7, counters: growth.map(CounterEvidence.init), taken: taken, residency: residency)
    var trace = Observation.Trace.unavailable("tracefs is not mounted")
    if let events {
      var recording = TraceRecording()
      recording.lost = lost
      recording.events = events.map { TraceEvent(time: 1, thread: 100, detail: $0) }
      trace = .recorded(recording, threads: [[100]], absentEvents: [])
    }
    return Observation(
      vcpus: [vcpu], trace: trace, notifications: NotificationCounts(text: ""),
      deliversVirtually: deliversVirtually)
  }

  static let inGuest: [String: UInt64] = [
    "irq_injections": 0, "exits": 3, "irq_exits": 3, "halt_exits": 0, "halt_wakeup": 0,
  ]

  @Test func `an interrupt that was injected came by software, and the verdict says what shows it`() {
    let evidence = Self.observe(
      ["irq_injections": 1], events: [.accepted(vcpuID: 7, vector: Self.vector, mode: .fixed)])
    #expect(evidence.interrupts.map(\.path) == [.software])
    #expect(
      evidence.lines == [
        "vCPU 0 took 0x52 once: software: irq_injections of vCPU 0 grew by 1; kvm_apic_accept_irq seen once"
      ])
  }

  @Test func `what KVM neither accepted nor injected came by the hardware, where others of the vCPU were injected`() {
    let other: Vector = 0x31
    let events: [TraceEvent.Detail] = [
      .accepted(vcpuID: 7, vector: other, mode: .fixed), .injected(vector: other, isReinjected: false),
    ]
    func paths(_ deliversVirtually: Bool?, lost: UInt64 = 0) -> [DeliveryPath?] {
      Self.observe(
        ["irq_injections": 1], taken: [Self.vector: 1, other: 1], events: events, lost: lost,
        deliversVirtually: deliversVirtually
      ).interrupts.map(\.path)
    }
    #expect(paths(true) == [.software, .virtualDelivery])
    #expect(paths(true, lost: 1) == [nil, nil])
    #expect(paths(false) == [.software, nil])
  }

  private static func residency(inGuest: Int, atEntry: Int, ofHost: Int = 0) -> [Vector: DeliveryResidency] {
    var residency = DeliveryResidency()
    residency.inGuest = inGuest
    residency.atEntry = atEntry
    residency.withHostInTheWay = ofHost
    if atEntry > 0 { residency.exits = ["EXTERNAL_INTERRUPT": atEntry] }
    return [vector: residency]
  }

  @Test func `no counter proves that an interrupt was posted`() {
    #expect(Self.observe(Self.inGuest).interrupts.map(\.path) == [.virtualDelivery])
  }

  @Test func `it was posted where its vCPU stayed in the guest from acceptance to handler`() {
    let evidence = Self.observe(Self.inGuest, residency: Self.residency(inGuest: 1, atEntry: 0))
    #expect(evidence.interrupts.map(\.path) == [.posted])
  }

  @Test func `a posting that has become a kick is delivered at entry, whatever the counters say`() {
    let evidence = Self.observe(Self.inGuest, residency: Self.residency(inGuest: 0, atEntry: 1))
    #expect(evidence.interrupts.map(\.path) == [.virtualDelivery])
    #expect(evidence.interrupts[0].basis.contains("exits: EXTERNAL_INTERRUPT"))
  }

  @Test(arguments: [
    (20, 0, 0, DeliveryPath.posted), (11, 9, 9, .posted), (10, 10, 10, .virtualDelivery), (19, 1, 0, .virtualDelivery),
    (19, 0, 0, .virtualDelivery),
  ])
  func `each is posted but some that meet the host's own ticks, which are not half of them`(
    inGuest: Int, atEntry: Int, ofHost: Int, path: DeliveryPath
  ) {
    let evidence = Self.observe(
      Self.inGuest, taken: [Self.vector: 20],
      residency: Self.residency(inGuest: inGuest, atEntry: atEntry, ofHost: ofHost))
    #expect(evidence.interrupts.map(\.path) == [path])
    // Only what the host alone was in the way of is worth another try.
    #expect(evidence.interrupts.map(\.isPostingUndecided) == [inGuest + ofHost == 20 && path != .posted])
  }

  @Test func `what was injected was not posted, wherever its vCPU was`() {
    let evidence = Self.observe(["irq_injections": 1], residency: Self.residency(inGuest: 1, atEntry: 0))
    #expect(evidence.interrupts.map(\.path) == [.software])
  }

  @Test func `as many injections as interrupts hide none that came by the hardware`() {
    let events: [TraceEvent.Detail] = [
      .injected(vector: Self.vector, isReinjected: false), .injected(vector: Self.vector, isReinjected: true),
    ]
    func path(_ events: [TraceEvent.Detail]?, taken: Int, lost: UInt64 = 0, _ deliversVirtually: Bool?) -> DeliveryPath?
    {
      Self.observe(
        ["irq_injections": 2], taken: [Self.vector: taken], events: events, lost: lost,
        deliversVirtually: deliversVirtually
      ).interrupts[0].verdictPath
    }
    #expect(path(events, taken: 2, true) == nil)
    #expect(path(events, taken: 1, true) == .software)
    #expect(path(events, taken: 1, lost: 1, true) == nil)
    #expect(path(nil, taken: 2, true) == nil)
    #expect(path(nil, taken: 2, nil) == nil)
    #expect(path(nil, taken: 2, false) == .software)
  }

  @Test func `a trace that lost events tells nothing`() {
    let software: [TraceEvent.Detail] = [.injected(vector: Self.vector, isReinjected: false)]
    let hardware: [TraceEvent.Detail] = [.acceptedByHardware(vcpuID: 7, vector: Self.vector, mode: .fixed)]
    for events in [software, hardware] {
      let evidence = Self.observe([:], events: events, lost: 1)
      #expect(evidence.interrupts.map(\.path) == [nil])
      #expect(evidence.interrupts.map(\.verdictPath) == [nil])
    }
  }

  @Test func `without counts of injections and without a trace nothing is concluded`() {
    let evidence = Self.observe(["exits": 5])
    #expect(evidence.interrupts.map(\.path) == [nil])
    #expect(!evidence.countsInjections(on: 0))
    #expect(Self.observe(nil).interrupts.map(\.verdictPath) == [nil])
  }

  @Test func `events tell where injections are not counted`() {
    let software: [TraceEvent.Detail] = [.injected(vector: Self.vector, isReinjected: false)]
    let hardware: [TraceEvent.Detail] = [.acceptedByHardware(vcpuID: 7, vector: Self.vector, mode: .fixed)]
    #expect(Self.observe([:], events: software).interrupts.map(\.verdictPath) == [.software])
    #expect(Self.observe([:], events: hardware).interrupts.map(\.verdictPath) == [.virtualDelivery])
  }

  @Test func `events tell vectors apart of which some were injected, but no verdict rests on that`() {
    let evidence = Self.observe(
      ["irq_injections": 1], taken: [0x52: 1, 0x60: 1],
      events: [
        .injected(vector: 0x60, isReinjected: false), .injected(vector: 0x60, isReinjected: true),
        .acceptedByHardware(vcpuID: 7, vector: 0x52, mode: .fixed),
      ])
    #expect(evidence.interrupts.map(\.path) == [.virtualDelivery, .software])
    #expect(evidence.interrupts.map(\.injected) == [0, 1])
    #expect(evidence.interrupts.map(\.verdictPath) == [nil, nil])
  }

  @Test func `a scenario that went from machine to machine has the events of all their threads`() {
    var recording = TraceRecording()
    recording.events = [100, 200, 300].map {
      TraceEvent(
        time: 1, thread: $0, detail: .injected(vector: Self.vector, isReinjected: false))
    }
    let counters = CounterEvidence(growth: ["irq_injections": 1]).adding(CounterEvidence(growth: ["irq_injections": 1]))
    let vcpu = VCPUObservation(index: 0, id: 7, counters: counters, taken: [Self.vector: 2])
    let observation = Observation(
      vcpus: [vcpu], trace: .recorded(recording, threads: [[100, 200]], absentEvents: []),
      notifications: NotificationCounts(text: ""), deliversVirtually: true)
    #expect(counters.injections == 2)
    #expect(observation.interrupts.map(\.injected) == [2])
  }

  @Test func `events of other vCPUs count for nothing`() {
    let evidence = Self.observe(
      ["irq_injections": 1], events: [.accepted(vcpuID: 0, vector: Self.vector, mode: .fixed)])
    #expect(evidence.interrupts.map(\.accepted) == [0])
  }

  @Test func `exceptions and NMIs are not interrupts of a local APIC`() {
    #expect(Self.observe(["irq_injections": 0], taken: [2: 1, 13: 1]).interrupts.isEmpty)
  }

  @Test func `a statistic that the kernel lacks is nil, not 0`() {
    let counters = CounterEvidence(growth: ["exits": 0])
    #expect(counters["exits"] == 0)
    #expect(counters["nmi_injections"] == nil)
  }

  @Test func `posted-interrupt rows are summed, and missing ones stay missing`() {
    let before = NotificationCounts(
      text: "           CPU0       CPU1\nPIN:   1   2   Posted-interrupt notification event\n")
    let after = NotificationCounts(text: "PIN:   1   5   Posted-interrupt notification event\nPIW: 1 1 x\n")
    #expect(before.notifications == 3)
    #expect(after.growth(since: before).notifications == 3)
    #expect(after.growth(since: before).wakeups == nil)
  }

  @Test func `the cost is what all vCPUs' counters grew by, and is not known where one does not count`() {
    let vcpus = [2, 3].map { number in
      VCPUObservation(
        index: number, id: 0, counters: CounterEvidence(growth: ["exits": UInt64(number), "irq_injections": 1]),
        taken: [Self.vector: number, 14: 1])
    }
    let observation = Observation(
      vcpus: vcpus, trace: .unavailable("no tracefs"), notifications: NotificationCounts(text: ""),
      deliversVirtually: nil, latency: 77)
    #expect(
      observation.cost == DeliveryCost(interrupts: 5, exits: 5, injections: 2, windowExits: nil, latency: 77))
  }
}
