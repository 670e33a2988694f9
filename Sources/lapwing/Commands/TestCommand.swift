import ArgumentParser
import KVM
import Reports
public import Scenarios
import Support

/// `lapwing test`: the interrupt suite.
struct TestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "test", abstract: "Run the interrupt suite.",
    discussion: """
      FILTER is a case's id, such as ipi.self.x2apic; the beginning of ids, such as ipi.; or a pattern, such as \
      '*.x2apic'. Exit status: 0 where every case passed, was skipped or failed as expected; 1 where one failed; with \
      --baseline 0 where nothing got worse, and 1 for a regression; 130 after Ctrl-C, with a report of what was finished.
      """)

  @Argument(help: "Which cases to run; all of them without one.")
  var filters: [String] = []

  @OptionGroup(title: "Suite")
  var suite: SuiteOptions

  @OptionGroup(title: "Report")
  var report: SuiteReportOptions

  @OptionGroup(title: "What is known")
  var known: KnownResults

  @Option(help: TimelineArgument.help, completion: TimelineArgument.completion)
  var timeline: String?

  @Option(
    help: """
      Make every scenario fail, and pass when it does: stimulus withholds its stimulus; path holds the vCPUs that it \
      interrupts out of the guest meanwhile, so that nothing can be posted. Alone, --sabotage is --sabotage=stimulus.
      """)
  var sabotage: SabotageKind?

  @Option(
    help: "Run every case on this host as it is and again with APICv kept off, and show both side by side: apicv.")
  var compare: Comparison?

  /// What can be compared.
  enum Comparison: String, ArgumentChoice {
    /// APICv on and off.
    case apicv
  }

  @Flag(help: "Show the ids and titles of the cases instead of running them.")
  var list = false

  @OptionGroup var confinement: ConfinementOptions

  func validate() throws {
    try TimelineArgument.validate(timeline)
    guard list || report.format != .markdown else { throw ValidationError("--format markdown is for --list") }
    guard !list || ![.ktap, .junit].contains(report.format) else {
      throw ValidationError("--format \(report.format.rawValue) is not for --list")
    }
    guard timeline == nil || !list else { throw ValidationError("--timeline does not go with --list") }
    guard compare == nil || !list && sabotage == nil else {
      throw ValidationError("--compare goes with neither --list nor --sabotage")
    }
    guard compare == nil && sabotage == nil && !list || known.isEmpty else {
      throw ValidationError("--baseline and --expect go with none of --compare, --sabotage and --list")
    }
    guard compare == nil || [.human, .json].contains(report.format) else {
      throw ValidationError("--compare writes human or json, not \(report.format.rawValue)")
    }
  }

  func run() throws {
    try perform { () throws(Failure) in
      try confinement.enter { needs in
        needs.read(known.baseline, known.expect)
        needs.write(report.output, timeline)
        if !list { needs.record() }
      }
      let cases = try suite.select(filters)
      try refuseOneFile(for: ("--output", report.output), and: ("--timeline", timeline))
      try refuseOneFile(for: ("--expect", known.expect), and: ("--output", report.output))
      try refuseOneFile(for: ("--expect", known.expect), and: ("--timeline", timeline))
      try refuseOneFile(for: ("--baseline", known.baseline), and: ("--timeline", timeline))
      let destination = try report.destination()
      if list { return try show(CatalogueReport(cases), to: destination) }
      return compare == nil ? try run(cases, to: destination) : try runCompared(cases, to: destination)
    }
  }

  private func show(_ catalogue: CatalogueReport, to destination: ReportDestination) throws(Failure) -> ExitStatus {
    try destination.write(
      try report.format == .json
        ? document(catalogue)
        : report.format == .markdown ? catalogue.markdown : catalogue.text(destination.style))
    return .success
  }

  private func run(_ cases: [ScenarioCase], to destination: ReportDestination) throws(Failure) -> ExitStatus {
    let (expected, baseline) = (try known.readExpectations(), try known.readBaseline(of: cases))
    let session = try SuiteSession(
      cases, suite, sabotage: sabotage, expected: expected, timeline: try TimelineArgument.begin(timeline),
      destination: destination, isHuman: isHuman)
    var suiteReport = session.report(suite.described(filters), sabotage: sabotage)
    if let baseline { suiteReport.regressions = RegressionReport(from: baseline, to: ("now", suiteReport)) }
    try report.write(suiteReport, to: destination)
    guard let regressions = suiteReport.regressions else { return session.status(success: suiteReport.success) }
    return session.status(success: regressions.success && suiteReport.notRun.isEmpty)
  }

  /// Every case on this host as it is, and again with APICv kept off.
  private func runCompared(_ cases: [ScenarioCase], to destination: ReportDestination) throws(Failure) -> ExitStatus {
    var startedTimeline = try TimelineArgument.begin(timeline)
    startedTimeline?.comparesAPICv = true
    let session = try SuiteSession(
      ScenarioCase.pairs(of: cases), suite, timeline: startedTimeline, destination: destination,
      isHuman: isHuman
    ) { survey throws(Failure) in
      let apicv = survey[.apicv]
      guard apicv.state != .available else { return }
      throw Failure("there is no APICv here to compare with: \(apicv.evidence)", .hostCannot)
    }
    let options = suite.described(filters)
    let comparison = ComparisonReport(
      ("APICv on", session.report(options, of: session.outcome.part { !$0.isAPICvInhibited })),
      ("APICv off", session.report(options, of: session.outcome.part { $0.isAPICvInhibited })))
    let text = report.format == .json ? try document(comparison) : comparison.text(destination.style)
    try destination.write(text, summary: comparison.text(StandardOutput.style))
    return session.status(success: comparison.success)
  }

  private var isHuman: Bool { report.format == .human }
}

extension SabotageKind: ArgumentChoice {}
