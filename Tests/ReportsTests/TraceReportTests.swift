import Evidence
import Support
import Testing

@testable import Reports

/// How interrupts got there, as a person reads it.
@Suite struct TraceReportTests {
  private let ipi = JourneyReport(
    vector: 0x50, vcpu: 1, source: .ipi, sender: 0, accepted: 35_200_000, coalesced: 0, wokenUp: 35_212_300,
    injected: 35_220_000, taken: 35_251_000, ended: 36_300_000, path: .software)
  private let posted = JourneyReport(
    vector: 0x70, vcpu: 0, source: .message, accepted: 36_000_000, coalesced: 2, posted: 36_000_850, taken: 36_004_000,
    path: .virtualDelivery)
  private let unseen = JourneyReport(vector: 0x40, vcpu: 0, coalesced: 0, taken: 37_100_000)

  private func text(_ journeys: [JourneyReport], lostEvents: UInt64 = 0) -> String {
    RunReport.TraceReport(journeys: journeys, lostEvents: lostEvents).lines(Style()).text
  }

  @Test func `each interrupt has a line with what was seen of it`() {
    #expect(
      text([ipi, posted, unseen]) == """
          vector  vCPU                 from  accepted   posted     woken  injected     taken       EOI                         way
          0x50       1               vCPU 0   35.2 ms           +12.3 µs  +20.0 µs  +51.0 µs  +1.10 ms                    software
          0x70       0  a message, 3 in one   36.0 ms  +850 ns                      +4.00 µs            virtual-interrupt delivery
          0x40       0             not seen                                          37.1 ms                              not seen
        """)
  }

  @Test func `a column in which nothing stands is left out`() {
    #expect(
      text([unseen]) == """
          vector  vCPU      from  accepted    taken       way
          0x40       0  not seen            37.1 ms  not seen
        """)
  }

  @Test func `what nobody wrote down has no time of its handler, and what is concluded says so`() {
    let concluded = JourneyReport(
      vector: 0x70, vcpu: 0, source: .message, accepted: 36_000_000, coalesced: 0, posted: 36_000_850,
      stayedInGuest: true, path: .posted, isPathConcluded: true)
    let injected = JourneyReport(
      vector: 0x20, vcpu: 0, coalesced: 0, injected: 40_000_000, ended: 40_002_000, path: .software,
      isPathConcluded: false)
    #expect(
      text([concluded, injected]) == """
          vector  vCPU       from  accepted   posted  injected       EOI                                        way
          0x70       0  a message   36.0 ms  +850 ns                      posted into the running guest (concluded)
          0x20       0   not seen                      40.0 ms  +2.00 µs                                   software
        """)
  }

  @Test func `what this kernel lacks and what was not understood is said`() {
    let trace = RunReport.TraceReport(
      journeys: [], lostEvents: 0, unknownEvents: 3, absentEvents: ["kvm_eoi with a field 'vector'", "kvm_pv_eoi"])
    #expect(
      trace.lines(Style()) == [
        "  no interrupt was seen", "note: the trace has 3 events that mean nothing here",
        "note: this kernel has no kvm_eoi with a field 'vector', kvm_pv_eoi",
      ])
  }

  @Test(arguments: [
    (JourneyReport(vector: 32, vcpu: 2, source: .ipi, sender: 2, coalesced: 0, taken: 0), "itself"),
    (JourneyReport(vector: 32, vcpu: 2, source: .ipi, coalesced: 0, taken: 0), "an IPI"),
    (JourneyReport(vector: 32, vcpu: 2, source: .line, gsi: 20, coalesced: 0, taken: 0), "line 20"),
    (JourneyReport(vector: 32, vcpu: 2, source: .heldLine, pin: 21, coalesced: 0, taken: 0), "pin 21, still high"),
    (JourneyReport(vector: 32, vcpu: 2, source: .localAPIC, coalesced: 0, taken: 0), "local APIC"),
    (JourneyReport(vector: 32, vcpu: 2, source: .localAPIC, entry: "timer", coalesced: 0, taken: 0), "local timer"),
    (JourneyReport(vector: 32, vcpu: 2, source: .localAPIC, entry: "lint0", coalesced: 0), "local APIC, lint0"),
  ])
  func `every source has words`(journey: JourneyReport, words: String) {
    #expect(text([journey]).contains("  \(words)  "))
  }

  @Test func `a long trace is cut for a person, and what was lost is said`() {
    let lines = text([JourneyReport](repeating: unseen, count: 130), lostEvents: 4).split(separator: "\n")
    #expect(lines.count == 1 + 100 + 2)
    #expect(lines[101] == "  and 30 more, which --format json has")
    #expect(lines[102] == "note: the trace lost 4 events: they were too many")
    #expect(text([]) == "  no interrupt was seen")
  }

  @Test func `the document has these keys, and those of what was not seen are absent`() throws {
    var report = try RunReport.madeUp()
    report.trace = RunReport.TraceReport(journeys: [ipi, posted], lostEvents: 0)
    let keys = try DocumentKeys.of(JSONDocument.text(report)).filter { $0.hasPrefix("trace.") }
    let names = [
      "accepted", "coalesced", "ended", "injected", "path", "posted", "sender", "source", "taken", "vcpu", "vector",
      "wokenUp",
    ]
    #expect(keys == names.map { "trace.journeys[].\($0)" } + ["trace.lostEvents", "trace.unknownEvents"])
    report.trace = RunReport.TraceReport(journeys: [unseen], lostEvents: 0)
    #expect(
      try DocumentKeys.of(JSONDocument.text(report)).filter { $0.hasPrefix("trace.") } == [
        "trace.journeys[].coalesced", "trace.journeys[].taken", "trace.journeys[].vcpu", "trace.journeys[].vector",
        "trace.lostEvents", "trace.unknownEvents",
      ])
  }
}
