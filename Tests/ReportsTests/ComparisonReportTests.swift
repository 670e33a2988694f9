import Foundation
import Testing

@testable import Reports

@Suite struct ComparisonReportTests {
  @Test func `a figure is the median of the runs, and both sides stand beside each other`() throws {
    let text = try Self.madeUp().text()
    #expect(
      text.hasPrefix(
        """
                        exits       injected       windows       latency
        case               on  off        on  off       on  off       on   off
        ipi.self.xapic      2    4         0    1        0    1      900  2100

        """))
    #expect(text.hasSuffix("\n\non: 2 passed, 0 failed, 1 skipped\noff: 1 passed, 0 failed, 2 skipped"))
  }

  @Test func `what has no figures is named with the reason, and so is what is on one side alone`() throws {
    let text = try Self.madeUp().text()
    #expect(text.contains("\nskipped, off: 1 case: posted interrupts: a parked vCPU keeps APICv off\n"))
    #expect(text.contains("\non one side alone: tpr.cr8, msi.late.xapic\n"))
  }

  @Test func `a failure on either side is shown, and the comparison fails`() throws {
    var off = try Self.report([("ipi.self.xapic", [])])
    off.cases[0].verdict = .failed
    off.cases[0].reason = "it was lost"
    off.success = false
    let comparison = ComparisonReport(("on", try Self.report([("ipi.self.xapic", [])])), ("off", off))
    #expect(!comparison.success)
    #expect(comparison.text().contains("FAILED ipi.self.xapic, off: it was lost"))
  }

  @Test func `the JSON document comes back as it went`() throws {
    let comparison = try Self.madeUp()
    let text = try JSONDocument.text(comparison)
    let again = try JSONDocument.read(
      ComparisonReport.self, schema: ComparisonReport.schema, from: Array(text.utf8))
    #expect(try JSONDocument.text(again) == text)
    #expect(again.cases.map(\.id) == ["ipi.self.xapic", "apicv.posted.msi"])
  }

  @Test(arguments: [
    (#"{"schema":"lapwing.run/1"}"#, "it is 'lapwing.run/1', not 'lapwing.comparison/1'"),
    ("[]", "a value has the wrong type"),
    (
      #"{"schema":"lapwing.comparison/1","success":true,"sides":[{"name":1}]}"#,
      "sides[0].name: a value has the wrong type"
    ),
    (#"{"schema":"lapwing.comparison/1"}"#, "the key 'success' is missing"),
  ])
  func `a document that is something else is refused with the place`(text: String, message: String) {
    #expect(throws: JSONDocument.Unreadable(description: message)) {
      try JSONDocument.read(ComparisonReport.self, schema: ComparisonReport.schema, from: Array(text.utf8))
    }
  }

  static func madeUp() throws -> ComparisonReport {
    func cost(_ exits: UInt64, _ injections: UInt64, _ latency: UInt64) -> CaseReport.Cost {
      CaseReport.Cost(
        interrupts: 1, exits: exits, injections: injections, windowExits: injections, latency: latency)
    }
    let on = try report([
      ("ipi.self.xapic", [cost(2, 0, 900), cost(9, 0, 800), cost(1, 0, 70_000)]), ("apicv.posted.msi", [cost(1, 0, 9)]),
      ("tpr.cr8", nil),
    ])
    let off = try report([
      ("ipi.self.xapic", [cost(4, 1, 2100)]), ("apicv.posted.msi", nil), ("msi.late.xapic", nil),
    ])
    return ComparisonReport(("on", on), ("off", off))
  }

  /// A report of cases with these costs; one without was skipped.
  static func report(_ cases: [(id: String, costs: [CaseReport.Cost]?)]) throws -> SuiteReport {
    let reports = cases.map { id, costs in
      CaseReport(
        id: id, family: String(id.prefix { $0 != "." }), title: id, exercises: [],
        verdict: costs == nil ? .skipped : .passed,
        reason: costs == nil ? "posted interrupts: a parked vCPU keeps APICv off" : nil, runs: 1, failedRuns: 0,
        duration: 0, figures: [], costs: costs ?? [], failure: nil, command: "lapwing test \(id)")
    }
    return SuiteReport(
      reports, notRun: [], isInterrupted: false, host: SuiteReport.Host(kernel: "6.1.0", backEnd: "kvm_intel"),
      options: SuiteReport.Options(), sabotage: nil, duration: 1_000_000)
  }
}
