import Evidence
public import KVM
public import Scenarios
import VMM

/// A suite of scenarios that are not Lapwing's own: run on this host as `lapwing test` runs its catalogue, with the evidence
/// that there is here, and reported in the same ways.
///
/// ```swift
/// let report = try OwnSuite("doorbell-tests", scenarios).run(on: KVM.open())
/// print(report.text())
/// ```
public struct OwnSuite: Sendable {
  /// What reports call the program that runs it.
  public var name: String
  /// What is run, each scenario in each of its APIC modes.
  public var scenarios: [Scenario]
  /// Ids, beginnings of ids, or patterns with `*`, of the cases to run; none for all.
  public var filters: [String] = []
  /// How many cases run at the same time.
  public var jobs = 1
  /// How often every case is run.
  public var rounds = 1
  /// How long a scenario may wait for each thing that it expects.
  public var patience = Duration.seconds(30)
  /// What this host must have: a case that would be skipped for want of it fails.
  public var requirements: Set<Need> = []
  /// What is done to every case, which then has to fail; nil for nothing.
  public var sabotage: SabotageKind?

  /// A suite.
  ///
  /// - Parameters:
  ///   - name: what reports call the program that runs it.
  ///   - scenarios: what is run; their ids are unique.
  public init(_ name: String, _ scenarios: [Scenario]) {
    self.name = name
    self.scenarios = scenarios
  }

  /// The cases that the filters select.
  ///
  /// - Throws: `SuiteSelection.UnknownFilter` for a filter that selects nothing.
  public func cases() throws(SuiteSelection.UnknownFilter) -> [ScenarioCase] {
    try SuiteSelection(filters: filters).select(from: ScenarioCase.all(of: scenarios))
  }

  /// Runs it to its end. What needs a trait of the host that no capability tells of is preceded by a probe for that.
  ///
  /// - Parameters:
  ///   - system: this host's KVM.
  ///   - watch: called on this thread with each run of a case when it has ended.
  /// - Returns: what it came to: for a person, and as KTAP, JUnit or JSON.
  /// - Throws: `SuiteSelection.UnknownFilter` for a filter that selects nothing; `MachineError.thread` where the host has no
  ///   thread or descriptor left for it.
  public func run(on system: System, watch: (CaseReport) -> Void = { _ in }) throws -> SuiteReport {
    let cases = try cases()
    let start = ContinuousClock.now
    var host = HostKnowledge(survey: HostSurvey.take())
    host.probe(for: cases.lazy.map(\.scenario), on: system)
    let tracing = TracePool()
    defer { tracing.close() }
    var runner = ScenarioRunner(system: system, host: host, tracing: tracing)
    runner.patience = patience
    runner.requirements = requirements
    var suite = SuiteRunner(runner, sabotage: sabotage)
    suite.jobs = jobs
    suite.rounds = rounds
    let outcome = try suite.run(
      cases, watch: { ended, _ in for run in ended { watch(caseReport(run.testCase, run.result)) } })
    var report = SuiteReport(
      outcome, host: SuiteReport.Host(host.survey),
      options: SuiteReport.Options(
        filters: filters, rounds: rounds, jobs: jobs, patience: patience,
        requirements: requirements.map(\.name).sorted()),
      sabotage: sabotage, duration: .now - start)
    report.program = name
    for index in report.cases.indices { report.cases[index].command = command(report.cases[index].id) }
    return report
  }

  private func caseReport(_ testCase: ScenarioCase, _ result: ScenarioResult) -> CaseReport {
    var report = CaseReport(testCase, result, sabotage: sabotage)
    report.command = command(report.id)
    return report
  }

  private func command(_ id: String) -> String { "\(name) \(id)" }
}
