import ArgumentParser
import Evidence
import KVM
import Reports
import Scenarios
import VMM

/// `lapwing test`: the interrupt suite.
struct TestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "test", abstract: "Run the interrupt suite.",
    discussion: """
      FILTER is a case's id, such as ipi.self.x2apic; the beginning of ids, such as ipi.; or a pattern, such as \
      '*.x2apic'. Exit status: 0 where every case passed or was skipped; 1 where one failed; 130 after Ctrl-C, with a \
      report of what was finished.
      """)

  @Argument(help: "Which cases to run; all of them without one.")
  var filters: [String] = []

  @OptionGroup(title: "Suite")
  var suite: SuiteOptions

  @OptionGroup(title: "Report")
  var report: SuiteReportOptions

  @Flag(help: "Withhold each scenario's stimulus: the suite passes when every story fails for want of it.")
  var sabotage = false

  @Flag(help: "Show the ids and titles of the cases instead of running them.")
  var list = false

  func validate() throws {
    guard list || report.format != .markdown else { throw ValidationError("--format markdown is for --list") }
    guard !list || ![.ktap, .junit].contains(report.format) else {
      throw ValidationError("--format \(report.format.rawValue) is not for --list")
    }
  }

  func run() throws {
    try perform { () throws(Failure) in
      let cases = try suite.select(filters)
      let destination = try report.destination()
      defer { destination.discard() }
      return list ? try show(CatalogueReport(cases), to: destination) : try run(cases, to: destination)
    }
  }

  private func show(_ catalogue: CatalogueReport, to destination: ReportDestination) throws(Failure) -> ExitStatus {
    try destination.write(
      try report.format == .json
        ? report.document(catalogue)
        : report.format == .markdown ? catalogue.markdown : catalogue.text(destination.style))
    return .success
  }

  private func run(_ cases: [ScenarioCase], to destination: ReportDestination) throws(Failure) -> ExitStatus {
    let start = ContinuousClock.now
    let system: System
    do throws(KVMError) { system = try KVM.open() } catch { throw Failure(error) }
    let signals = InterruptSignals()
    var host = HostKnowledge(survey: HostSurvey.take())
    host.probe(for: cases.lazy.map(\.scenario), on: system)
    let tracing = TracePool()
    defer { tracing.close() }
    let runner = suite.runner(system, host, tracing: tracing, isSabotaged: sabotage)
    var progress = SuiteProgress(
      planned: cases.count * suite.repeat, toErrors: destination.isStandardOutput && !isHuman)
    let outcome: SuiteOutcome
    do throws(MachineError) {
      outcome = try runner.run(
        cases, isInterrupted: { signals.isPending },
        watch: { runs, running in
          progress.show(
            runs.map { CaseReport($0, isSabotage: sabotage) }, running: running.map(\.testCase.id))
        })
    } catch {
      throw Failure(error)
    }
    let signal = signals.release()
    progress.end()
    let suiteReport = SuiteReport(
      outcome, host: SuiteReport.Host(kernel: host.survey.kernelRelease, backEnd: host.survey.backEnd?.moduleName),
      options: suite.described(filters), isSabotage: sabotage, duration: .now - start)
    try report.write(suiteReport, to: destination)
    if let signal { return ExitStatus(signal: signal) }
    return suiteReport.success ? .success : .failed
  }

  private var isHuman: Bool { report.format == .human }
}
