import ArgumentParser
import Reports
import Support

/// `lapwing compare`: what has changed from one report of the suite to another, or the two side by side.
struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare", abstract: "Show what has changed between two reports of the suite.",
    discussion: """
      FIRST and SECOND are what 'lapwing test --format json' wrote, before and after a change of the kernel. Shown is what \
      has changed, the worst first: cases that fail or are skipped now, interrupts that software injects now, exits and \
      injections that grew beyond chance. With --all, every case with its exits, injections, interrupt-window exits and \
      latency on both sides. Exit status: 0 where there is no regression; 1 where there is one; with --all 1 where one of \
      the suites did not succeed; 65 for a file that is no such report, and for two without a case in common.
      """)

  @Argument(help: "The earlier report of the suite, as JSON.")
  var first: String

  @Argument(help: "The report to compare with it.")
  var second: String

  @Flag(help: "Show every case on both sides, such as with APICv and without, instead of what has changed.")
  var all = false

  @Option(help: "What to call the two, with a comma between; the files' names without it.")
  var names: SideNames?

  @Option(help: "human or json.")
  var format = ReportFormat.human

  @OptionGroup var confinement: ConfinementOptions

  func run() throws {
    try perform { () throws(Failure) in
      try confinement.enter { $0.read(first, second) }
      let earlier = (name: names?.first ?? first, report: try read(first))
      let now = (name: names?.second ?? second, report: try read(second))
      guard all else {
        let regressions = RegressionReport(from: earlier, to: now)
        guard regressions.compared > 0 else {
          throw Failure("'\(first)' and '\(second)' have no case in common, so that nothing can be compared", .badFile)
        }
        try show(regressions, format) { $0.text(StandardOutput.style) }
        return regressions.success ? .success : .failed
      }
      let comparison = ComparisonReport(earlier, now)
      try show(comparison, format) { $0.text(StandardOutput.style) }
      return comparison.success ? .success : .failed
    }
  }

  private func read(_ file: String) throws(Failure) -> SuiteReport {
    try readDocument(SuiteReport.self, schema: SuiteReport.schema, from: file)
  }
}

/// What two sides are called: `APICv on,APICv off`.
struct SideNames: ExpressibleByArgument {
  let first: String
  let second: String

  init?(argument: String) {
    let names = argument.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    guard names.count == 2, names.allSatisfy({ !$0.isEmpty }) else { return nil }
    (first, second) = (names[0], names[1])
  }
}
