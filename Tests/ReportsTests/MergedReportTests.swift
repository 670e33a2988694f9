import Testing

@testable import Reports

@Suite struct MergedReportTests {
  private static func part(_ ids: [String], _ change: (inout SuiteReport) -> Void = { _ in }) throws -> SuiteReport {
    var report = try ComparisonReportTests.report(ids.map { ($0, []) })
    report.options.shard = "1/2"
    change(&report)
    return report
  }

  @Test func `parts of a suite become one report`() throws {
    let first = try Self.part(["a.one", "a.two"]) { $0.duration = 5 }
    let second = try Self.part(["a.three"]) {
      $0.cases[0].verdict = .failed
      $0.notRun = ["a.four"]
      $0.duration = 7
    }
    let merged = try SuiteReport(merging: [("one", first), ("two", second)])
    #expect(merged.cases.map(\.id) == ["a.one", "a.two", "a.three"])
    #expect(merged.totals == SuiteReport.Totals(passed: 2, failed: 1, skipped: 0, notRun: 1, runs: 3))
    #expect(merged.notRun == ["a.four"])
    #expect(merged.duration == 7)
    #expect(merged.options.shard == nil)
    #expect(!merged.success)
  }

  @Test func `reports that are no parts of one suite are refused by their names`() throws {
    let one = try Self.part(["a.one"])
    let refusals: [(SuiteReport, String)] = [
      (one, "'one' and 'two' both have the case 'a.one': they are no parts of one suite"),
      (try Self.part(["b"]) { $0.host.kernel = "6.2" }, "'two' and 'one' are of different kernels or back ends"),
      (try Self.part(["b"]) { $0.program = "lapwing kut" }, "'two' and 'one' are of different commands"),
      (try Self.part(["b"]) { $0.sabotage = "path" }, "'two' and 'one' were sabotaged differently"),
      (try Self.part(["b"]) { $0.options.rounds = 2 }, "'two' and 'one' have different numbers of runs a case"),
    ]
    for (other, message) in refusals {
      let error = #expect(throws: UnmergeableReports.self) {
        _ = try SuiteReport(merging: [("one", one), ("two", other)])
      }
      #expect(error?.description == message)
    }
    #expect(throws: UnmergeableReports.self) { _ = try SuiteReport(merging: []) }
  }
}
