import ArgumentParser

/// Who gets the suite's report, and where, from the command line.
struct SuiteReportOptions: ParsableArguments {
  /// What a report of the suite is written as.
  enum Format: String, ExpressibleByArgument, CaseIterable {
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
}
