import ArgumentParser
import Reports
import Scenarios
import Support

/// What is known of the suite's results beforehand, from the command line.
struct KnownResults: ParsableArguments {
  @Option(
    help: """
      An earlier report of the suite, as JSON: show what has changed since, and fail for a regression only, as 'lapwing \
      compare' does.
      """)
  var baseline: String?

  @Option(
    help: """
      A file of known deviations: lines of a case, a host such as 'kvm_intel/6.1.*' or '*', and a reason. What fails there \
      counts as expected, and what passes as failed.
      """)
  var expect: String?

  var isEmpty: Bool { baseline == nil && expect == nil }

  /// The earlier report and its name.
  ///
  /// - Parameter cases: what is to be run: nothing would be compared where it has none of them.
  func readBaseline(of cases: [ScenarioCase]) throws(Failure) -> (name: String, report: SuiteReport)? {
    guard let baseline else { return nil }
    let report = try readDocument(SuiteReport.self, schema: SuiteReport.schema, from: baseline)
    guard !Set(report.cases.map(\.id)).isDisjoint(with: cases.map(\.id)) else {
      throw Failure(
        "'\(baseline)' has none of the cases that are to be run, so that nothing could be compared", .badFile)
    }
    return (baseline, report)
  }

  /// The known deviations.
  func readExpectations() throws(Failure) -> ExpectedFailures? {
    guard let expect else { return nil }
    let bytes = try readInput(expect, limit: 16 << 20)
    do throws(ExpectedFailures.Malformed) {
      return try ExpectedFailures(
        String(decoding: bytes, as: UTF8.self), name: expect,
        ids: ScenarioCase.all(of: Scenario.catalogue).map(\.id))
    } catch {
      throw Failure("'\(expect)', \(error)", .badFile)
    }
  }
}
