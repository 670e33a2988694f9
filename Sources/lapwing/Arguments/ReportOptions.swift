import ArgumentParser
import Reports

/// For whom a report is.
enum ReportFormat: String, ArgumentChoice {
  /// A person.
  case human
  /// A program; docs/ has the keys.
  case json
}

/// The help of `--trace`, which several commands have.
let traceHelp: ArgumentHelp = """
  Show how each interrupt got there: where it came from, and when it was accepted, injected or posted, taken and \
  ended, by KVM's tracepoints and by what the guest writes down, if it does. Needs tracefs.
  """

/// What of a run is shown, and for whom.
struct RunPresentation {
  /// For whom.
  let format: ReportFormat
  /// Whether every statistic that KVM has is shown.
  let showsAllStatistics: Bool
  /// Whether it is shown how each interrupt got there.
  let isTraced: Bool
  /// Whether only what the guest prints is shown.
  let isQuiet: Bool

  /// Whether what the guest writes down is shown while it runs.
  var isWatched: Bool { format == .human && !isQuiet }
}

/// Who gets the suite's report, and where, from the command line.
struct SuiteReportOptions: ParsableArguments {
  /// What a report of the suite is written as.
  enum Format: String, ArgumentChoice {
    /// For a person.
    case human
    /// For kunit.py, KernelCI and LAVA.
    case ktap
    /// For CI servers.
    case junit
    /// For programs; docs/test-report.md has the keys.
    case json
    /// With `--list`: a page for docs/.
    case markdown
  }

  @Option(help: "human, ktap, junit or json; with --list also markdown.")
  var format = Format.human

  @Option(name: .shortAndLong, help: "A file for the report; a summary goes to standard output then.")
  var output: String?

  /// Opens the destination, so that a report that cannot be written is known before anything runs.
  func destination() throws(Failure) -> ReportDestination {
    guard let output else { return .standardOutput }
    return try ReportDestination(file: output)
  }

  /// Into a file goes the report alone; a person still gets the summary.
  func write(_ suiteReport: SuiteReport, to destination: ReportDestination) throws(Failure) {
    let text =
      switch format {
      case .human, .markdown: suiteReport.text(destination.style)
      case .ktap: suiteReport.ktap
      case .junit: suiteReport.junit
      case .json: try document(suiteReport)
      }
    try destination.write(text, summary: suiteReport.text(StandardOutput.style))
  }
}
