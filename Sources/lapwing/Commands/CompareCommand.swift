import ArgumentParser
import Reports

/// `lapwing compare`: two reports of the suite side by side.
struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare", abstract: "Compare two reports of the suite.",
    discussion: """
      FIRST and SECOND are what 'lapwing test --format json' wrote on two hosts, or on one host with APICv and without. \
      Shown are exits, injections, interrupt-window exits and latency of every case. Exit status: 0 where both suites \
      succeeded; 1 where one did not; 65 for a file that is no such report.
      """)

  @Argument(help: "A report of the suite, as JSON.")
  var first: String

  @Argument(help: "Another one.")
  var second: String

  @Option(help: "What to call the two, with a comma between; the files' names without it.")
  var names: SideNames?

  @Option(help: "human or json.")
  var format = ReportFormat.human

  func run() throws {
    try perform { () throws(Failure) in
      let comparison = ComparisonReport(
        (names?.first ?? first, try read(first)), (names?.second ?? second, try read(second)))
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
