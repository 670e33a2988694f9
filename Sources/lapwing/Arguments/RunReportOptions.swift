import ArgumentParser

/// How the report of a run is printed, from the command line.
struct RunReportOptions: ParsableArguments {
  @Option(help: "human or json.")
  var format = ReportFormat.human

  @Flag(help: "Show every statistic that KVM has; JSON always has them.")
  var stats = false

  @Flag(
    help: """
      Show how each interrupt got there: where it came from, and when it was accepted, injected or posted, taken and \
      ended, by KVM's tracepoints. Needs tracefs.
      """)
  var trace = false

  @Flag(name: .shortAndLong, help: "Show what the guest prints and nothing else.")
  var quiet = false

  /// Whether what the guest writes down is shown while it runs.
  var isWatched: Bool { format == .human && !quiet }
}
