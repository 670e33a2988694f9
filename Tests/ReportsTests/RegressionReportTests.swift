import Foundation
import Testing

@testable import Reports

@Suite struct RegressionReportTests {
  private static func cost(_ exits: UInt64, _ injections: UInt64 = 0) -> CaseReport.Cost {
    CaseReport.Cost(interrupts: 1, exits: exits, injections: injections, windowExits: 0, latency: 900)
  }

  /// A report of cases, each changed by its closure.
  private static func report(_ cases: [(id: String, change: (inout CaseReport) -> Void)]) throws -> SuiteReport {
    var report = try ComparisonReportTests.report(cases.map { ($0.id, []) })
    for (index, item) in cases.enumerated() { item.change(&report.cases[index]) }
    return report
  }

  private static func changes(
    from before: @escaping (inout CaseReport) -> Void, to now: @escaping (inout CaseReport) -> Void
  ) throws -> [CaseChange] {
    RegressionReport(
      from: ("old", try report([("msi.a", before)])), to: ("new", try report([("msi.a", now)]))
    ).changes
  }

  @Test(arguments: [
    (CaseReport.Verdict.passed, CaseReport.Verdict.failed, CaseChange.Kind.fails, true),
    (.skipped, .failed, .fails, true), (.expectedFailure, .failed, .fails, true), (.passed, .skipped, .skipped, true),
    (.failed, .passed, .passes, false), (.expectedFailure, .passed, .passes, false), (.skipped, .passed, .runs, false),
  ])
  func `a verdict that changed is told`(
    old: CaseReport.Verdict, new: CaseReport.Verdict, kind: CaseChange.Kind, isRegression: Bool
  ) throws {
    let changes = try Self.changes(from: { $0.verdict = old }, to: { $0.verdict = new })
    #expect(changes.map(\.kind) == [kind])
    #expect(changes.map(\.isRegression) == [isRegression])
    #expect(try Self.changes(from: { $0.verdict = new }, to: { $0.verdict = new }).isEmpty)
  }

  @Test(arguments: [
    (["posted"], ["software"], CaseChange.Kind.softwarePath), (["posted"], ["posted", "software"], .softwarePath),
    (["software"], ["virtual-interrupt delivery"], .hardwarePath),
    (["posted"], ["virtual-interrupt delivery"], .otherPath),
  ])
  func `a way that changed is told, and is a regression where software injects now`(
    old: [String], new: [String], kind: CaseChange.Kind
  ) throws {
    let changes = try Self.changes(from: { $0.paths = old }, to: { $0.paths = new })
    #expect(changes.map(\.kind) == [kind])
    #expect(changes[0].isRegression == (kind == .softwarePath))
    #expect(try Self.changes(from: { $0.paths = [] }, to: { $0.paths = new }).isEmpty)
  }

  @Test func `exits that grew in every run are a regression, and those that grew by chance are not`() throws {
    let before = (0..<8).map { Self.cost(10 + $0 % 2) }
    let grown = (0..<8).map { Self.cost(14 + $0 % 2) }
    let changes = try Self.changes(from: { $0.costs = before }, to: { $0.costs = grown })
    #expect(changes.map(\.kind) == [.moreExits])
    #expect(changes[0].counts.map { [$0.before, $0.now] } == [10.5, 14.5])
    #expect((changes[0].counts?.adjustedPValue ?? 1) < 0.001)
    #expect(try Self.changes(from: { $0.costs = grown }, to: { $0.costs = before }).map(\.kind) == [.fewerExits])
    var mixed = before
    mixed[3] = Self.cost(90)
    #expect(try Self.changes(from: { $0.costs = before }, to: { $0.costs = mixed }).isEmpty)
  }

  @Test func `one run of each shows no growth, and the report says so`() throws {
    let old = try Self.report([("msi.a", { $0.costs = [Self.cost(1)] })])
    let new = try Self.report([("msi.a", { $0.costs = [Self.cost(100)] })])
    let report = RegressionReport(from: ("old", old), to: ("new", new))
    #expect(report.success)
    #expect(
      report.notes == [
        "1 and 1 runs of a case are too few to show that exits or injections grew: take more, with --repeat"
      ])
  }

  @Test func `the worst comes first, and the text tells regressions from other changes`() throws {
    let old = try Self.report([
      ("a.fixed", { $0.verdict = .failed }), ("a.path", { $0.paths = ["posted"] }), ("a.lost", { _ in }),
      ("a.gone", { _ in }), ("a.broken", { _ in }), ("a.same", { _ in }), ("a.old", { _ in }),
    ])
    let skip: (inout CaseReport) -> Void = { ($0.verdict, $0.reason) = (.skipped, "no posted interrupts") }
    let new = try Self.report([
      ("a.fixed", { _ in }), ("a.path", { $0.paths = ["software"] }), ("a.lost", skip), ("a.gone", skip),
      ("a.broken", { ($0.verdict, $0.reason) = (.failed, "it was lost") }), ("a.same", { _ in }),
      ("a.new", { $0.verdict = .failed }),
    ])
    let report = RegressionReport(from: ("old", old), to: ("new", new))
    #expect(!report.success)
    #expect(
      report.text() == """
        from old (Linux 6.1.0, kvm_intel) to new (Linux 6.1.0, kvm_intel)
          regressions
            FAILS NOW  a.broken  it was lost
            path       a.path    posted before, software now
            skipped now a.lost, a.gone: no posted interrupts
          other changes
            passes now  a.fixed  failed before, passed now
          fails and was not there before: a.new
          only in one of the two: a.new, a.old
          4 regressions, 1 other change in 6 cases compared
        """)
    #expect(report.compared == 6)
  }

  @Test func `two reports that are alike have no change`() throws {
    let report = try Self.report([("a.b", { $0.costs = [Self.cost(3)] })])
    let same = RegressionReport(from: ("old", report), to: ("new", report))
    #expect(same.success && same.changes.isEmpty)
    #expect(same.text().hasSuffix("\n  no regression, 0 other changes in 1 case compared"))
  }

  @Test func `what hosts and runs have not in common is noted`() throws {
    var other = try Self.report([("a.b", { _ in })])
    other.host.backEnd = "kvm_amd"
    other.notRun = ["a.c", "a.d"]
    let report = RegressionReport(from: ("old", try Self.report([("a.b", { _ in })])), to: ("new", other))
    #expect(
      report.notes == [
        "the two ran on different back ends, whose ways and counts differ without a regression",
        "not run now, though selected: 2 cases",
      ])
  }

  @Test func `the JSON document comes back as it went`() throws {
    let report = RegressionReport(
      from: ("old", try Self.report([("a.b", { $0.paths = ["posted"] })])),
      to: ("new", try Self.report([("a.b", { $0.paths = ["software"] })])))
    let text = try JSONDocument.text(report)
    let again = try JSONDocument.read(RegressionReport.self, schema: RegressionReport.schema, from: Array(text.utf8))
    #expect(again.changes == report.changes)
  }
}
