import Support
public import UnitTests

extension SuiteReport {
  /// The report of unit tests that have been run.
  ///
  /// - Parameters:
  ///   - plans: the tests.
  ///   - results: what each came to; nil for one that was not run to its end.
  ///   - isInterrupted: whether a signal ended the run before its time.
  ///   - host: where it ran.
  ///   - options: how it was run.
  ///   - duration: how long it took.
  ///   - programStart: the moment that times of traces are counted from.
  public init(
    _ plans: [UnitTestPlan], _ results: [UnitTestResult?], isInterrupted: Bool, host: Host, options: Options,
    duration: Duration, programStart: ContinuousClock.Instant
  ) {
    self.init(
      results.compactMap { $0.map { CaseReport($0, programStart: programStart) } }, program: "lapwing kut",
      notRun: zip(plans, results).filter { $1 == nil }.map(\.0.test.name), isInterrupted: isInterrupted, host: host,
      options: options, sabotage: nil, duration: duration.nanoseconds)
  }
}

extension CaseReport {
  /// The report of a unit test: its family is its first group, or its image.
  ///
  /// - Parameters:
  ///   - result: what it came to.
  ///   - programStart: the moment that times of its trace are counted from; nil to leave that out.
  public init(_ result: UnitTestResult, programStart: ContinuousClock.Instant? = nil) {
    let test = result.test
    id = test.name
    family = test.groups.first ?? String(test.file.prefix { $0 != "." })
    title = test.arguments.isEmpty ? test.file : "\(test.file) \(test.arguments)"
    exercises = []
    runs = 1
    failedRuns = 0
    duration = result.duration.nanoseconds
    figures = []
    checks = result.checks.map { Check($0) }
    if let programStart {
      trace = result.journeys.map { RunReport.TraceReport($0, programStart: programStart) }
    }
    command = "lapwing kut --config unittests.cfg \(test.name)"
    if test.line == 0 { command = "lapwing kut \(test.file)" }
    switch result.verdict {
    case .passed: verdict = .passed
    case .skipped(let reason): (verdict, self.reason) = (.skipped, reason)
    case .failed(let message):
      (verdict, reason, failedRuns) = (.failed, message, 1)
      failure = FailureReport(result, message: message)
    }
  }
}

extension CaseReport.Check {
  fileprivate init(_ check: UnitTestCheck) {
    text = check.text
    verdict =
      switch check.verdict {
      case .passed: .passed
      case .failed: .failed
      case .skipped: .skipped
      }
  }
}

extension FailureReport {
  /// How much of what a test printed is kept, in bytes from its end.
  private static let consoleLimit = 8192

  fileprivate init(_ result: UnitTestResult, message: String) {
    round = 1
    self.message = message
    interrupts = []
    counters = result.scene?.counters ?? []
    vcpus = result.scene?.vcpus.map(VCPUStateReport.init) ?? []
    console = result.output.end(atMost: Self.consoleLimit)
  }
}
