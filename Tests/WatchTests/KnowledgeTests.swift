import Testing

@testable import Evidence
@testable import Watch

/// What is known of inhibits and exits.
@Suite struct KnowledgeTests {
  /// As Linux 6.18 has it, shortened.
  private let format = #"""
    "%s reason=%u, inhibits=0x%lx%s%s", REC->set ? "set" : "cleared", REC->reason, (REC->inhibits), \#
    (REC->inhibits) ? " " : "", (REC->inhibits) ? __print_flags(REC->inhibits, "|", \#
    { ((((1UL))) << (APICV_INHIBIT_REASON_DISABLED)), "DISABLED" }, \#
    { ((((1UL))) << (APICV_INHIBIT_REASON_HYPERV)), "HYPERV" }, \#
    { ((((1UL))) << (APICV_INHIBIT_REASON_ABSENT)), "ABSENT" }) : ""
    """#

  @Test func `a kernel that names its inhibits in the tracepoint's format is believed`() {
    let names = InhibitNames(printFormat: format)
    #expect((0..<4).map { names[$0] } == ["DISABLED", "HYPERV", "ABSENT", nil])
    #expect(names[-1] == nil && names[64] == nil)
    #expect(InhibitNames(printFormat: #""%s reason=%u, inhibits=0x%lx", REC->set ? "set" : "cleared""#).isEmpty)
  }

  @Test func `the numbers of kernels that do not name them are those of their releases`() {
    func names(_ major: Int, _ minor: Int) -> InhibitNames {
      InhibitNames { (major, minor) < ($0, $1) }
    }
    #expect(names(6, 1)[4] == "APIC_ID_MODIFIED" && names(6, 1)[5] == "APIC_BASE_MODIFIED")
    #expect(names(6, 3)[4] == "PHYSICAL_ID_ALIASED" && names(6, 3)[5] == "APIC_ID_MODIFIED")
    #expect(names(6, 3)[9] == "PIT_REINJ" && names(6, 1)[8] == "PIT_REINJ")
    // Linux 5.19 had another order, with an X2APIC.
    #expect(names(5, 19).isEmpty && names(5, 10).isEmpty)
    for release in [(6, 0), (6, 1), (6, 3), (6, 12)] {
      let all = names(release.0, release.1)
      for number in 0..<64 {
        guard let name = all[number] else { continue }
        #expect(InhibitReason.known(name) != nil, "\(name)")
      }
    }
  }

  @Test func `the exits of VT-x and SVM that are the interrupts' doing are known by their numbers`() {
    func kind(_ number: UInt32, _ architecture: UInt8) -> InterruptExit? {
      InterruptExit(ExitReason(number: number, architecture: architecture))
    }
    #expect(kind(1, 1) == .externalInterrupt && kind(0x60, 2) == .externalInterrupt)
    #expect(kind(7, 1) == .window && kind(0x64, 2) == .window)
    #expect(kind(45, 1) == .inducedEOI && kind(56, 1) == .write && kind(44, 1) == .access)
    #expect(kind(12, 1) == .halt && kind(0x78, 2) == .halt)
    #expect(kind(0x8000_0001, 1) == .externalInterrupt)
    #expect(kind(10, 1) == nil && kind(48, 1) == nil && kind(0x400, 2) == nil)
  }
}
