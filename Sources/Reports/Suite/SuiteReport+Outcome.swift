import APIC
import Evidence
public import KVM
public import Scenarios

extension SuiteReport {
  /// The report of a suite that has been run.
  ///
  /// - Parameters:
  ///   - outcome: what it came to.
  ///   - host: where it ran.
  ///   - options: how it was run.
  ///   - sabotage: what was done to every case; nil for nothing.
  ///   - duration: how long it took.
  ///   - expected: the failures that are expected; nil for none.
  public init(
    _ outcome: SuiteOutcome, host: Host, options: Options, sabotage: SabotageKind?, duration: Duration,
    expected: ExpectedFailures? = nil
  ) {
    let pairs = zip(outcome.cases, outcome.results)
    let cases = pairs.filter { $1.runs > 0 }.map { testCase, result in
      let item = CaseReport(testCase, result, sabotage: sabotage)
      return expected?.judged(item, on: host) ?? item
    }
    self.init(
      cases, notRun: pairs.filter { $1.runs == 0 }.map(\.0.id), isInterrupted: outcome.isInterrupted, host: host,
      options: options, sabotage: sabotage?.rawValue, duration: duration.nanoseconds)
  }

  /// The report of these cases.
  init(
    _ cases: [CaseReport], program: String = "lapwing test", notRun: [String], isInterrupted: Bool, host: Host,
    options: Options, sabotage: String?, duration: Int64
  ) {
    var totals = Totals(notRun: notRun.count)
    for item in cases {
      totals.runs += item.runs
      switch item.verdict {
      case .passed: totals.passed += 1
      case .failed: totals.failed += 1
      case .expectedFailure: totals.expectedFailures = (totals.expectedFailures ?? 0) + 1
      case .skipped: totals.skipped += 1
      }
    }
    let skips = Skip.grouped(cases.filter { $0.verdict == .skipped }.map { ($0.id, $0.reason) })
    self.init(
      program: program, success: totals.failed == 0 && totals.notRun == 0 && !isInterrupted,
      isSabotage: sabotage != nil, sabotage: sabotage, isInterrupted: isInterrupted, host: host, options: options,
      totals: totals, duration: duration, cases: cases, notRun: notRun,
      skips: skips.sorted { $0.ids.count > $1.ids.count })
  }
}

extension SuiteReport.Host {
  /// The host that was looked at.
  public init(_ survey: HostSurvey) {
    self.init(kernel: survey.kernelRelease, backEnd: survey.backEnd?.moduleName)
  }
}

extension CaseReport {
  /// All runs of a case taken together: one that failed counts for all.
  init(_ testCase: ScenarioCase, _ outcome: CaseOutcome, sabotage: SabotageKind?) {
    let scenario = testCase.scenario
    (verdict, reason) = CaseReport.verdict(outcome.firstFailure ?? outcome.last)
    id = testCase.id
    family = testCase.family
    title = scenario.title
    exercises = scenario.exercises
    runs = outcome.runs
    failedRuns = outcome.failedRuns
    duration = outcome.longest.nanoseconds
    let observation = outcome.last?.evidence
    paths = Set((observation?.interrupts ?? []).compactMap { $0.path?.rawValue }).sorted()
    evidence = observation?.lines ?? []
    costs = outcome.costs.map { Cost($0) }
    figures = outcome.last?.figures.map { Figure(name: $0.name, value: $0.value) } ?? []
    let message = reason ?? ""
    command = "lapwing test \(sabotage.map { "--sabotage=\($0.rawValue) " } ?? "")\(testCase.id)"
    failure = outcome.firstFailure.map { FailureReport($0, message: message) }
  }

  private static func verdict(_ result: ScenarioResult?) -> (Verdict, String?) {
    switch result?.verdict {
    case .passed: (.passed, nil)
    case .failed(let message): (.failed, message)
    case .skipped(let reason): (.skipped, reason)
    case nil: (.failed, "it was not run")
    }
  }
}

extension CaseReport.Cost {
  init(_ cost: DeliveryCost) {
    self.init(
      interrupts: cost.interrupts, exits: cost.exits, injections: cost.injections, windowExits: cost.windowExits,
      latency: cost.latency)
  }
}

extension FailureReport {
  init(_ result: ScenarioResult, message: String) {
    let scene = result.scene
    round = result.round
    self.message = message
    interrupts =
      scene?.interrupts.map { InterruptCount(vcpu: $0.vcpu, vector: $0.vector.rawValue, count: $0.count) } ?? []
    counters = scene?.counters ?? []
    vcpus = scene?.vcpus.map(VCPUStateReport.init) ?? []
  }
}

extension CaseReport {
  /// The report of one run.
  ///
  /// - Parameters:
  ///   - testCase: the case.
  ///   - result: what the run came to.
  ///   - sabotage: what was done to it; nil for nothing.
  public init(_ testCase: ScenarioCase, _ result: ScenarioResult, sabotage: SabotageKind?) {
    var outcome = CaseOutcome()
    outcome.add(result)
    self.init(testCase, outcome, sabotage: sabotage)
  }
}
