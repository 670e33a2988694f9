import ArgumentParser
import KVM
import Measurements
import Reports
import Support

/// `lapwing bench`: what exits, interrupts and timers cost on this host.
struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Measure exits, interrupts, timers and snapshots in the guest.",
    discussion: """
      FILTER is a measurement's id, such as ipi.halted.x2apic, or the beginning of ids, such as timer. Each round takes \
      every measurement once, on a machine of its own. Exit status: 0 where all was measured or skipped; 1 where a \
      measurement failed, or --fail-if-slower found one that is slower; 130 after Ctrl-C, with a report of what was \
      taken.
      """)

  @Argument(help: "What to measure; everything without one.")
  var filters: [String] = []

  @Option(help: "How many rounds to take: the more, the smaller a difference --compare can show.")
  var rounds = 10

  @Option(help: "How many samples a round has of each measurement.")
  var samples = 100

  @Option(help: "How long one round of one measurement may take, such as 60s.")
  var timeout = TimeLimit.seconds(60)

  @Option(help: "A file that 'lapwing bench --format json' wrote, to compare with.")
  var compare: EarlierRun?

  @Option(help: "With --compare: exit with 1 where a measurement is shown to take more than PERCENT longer.")
  var failIfSlower: Double?

  @Option(help: "A file for a drawing of the distributions.")
  var svg: String?

  @Option(help: "human or json.")
  var format = ReportFormat.human

  @Option(name: .shortAndLong, help: "A file for the report; the text for a person goes to standard output then.")
  var output: String?

  @Flag(help: "Show the ids and titles of the measurements instead of taking them.")
  var list = false

  @OptionGroup var confinement: ConfinementOptions

  func validate() throws {
    guard 1...BenchRunner.roundsLimit ~= rounds else {
      throw ValidationError("--rounds takes a number from 1 to \(BenchRunner.roundsLimit)")
    }
    guard 1...MeasurementRunner.samplesLimit ~= samples else {
      throw ValidationError("--samples takes a number from 1 to \(MeasurementRunner.samplesLimit)")
    }
    guard rounds * samples <= 10_000_000 else { throw ValidationError("that are more than 10000000 samples of each") }
    guard failIfSlower == nil || compare != nil else { throw ValidationError("--fail-if-slower is for --compare") }
    guard 0...1000 ~= failIfSlower ?? 0 else { throw ValidationError("--fail-if-slower takes 0 to 1000 percent") }
  }

  func run() throws {
    try perform { () throws(Failure) in
      try confinement.enter {
        $0.read(compare?.name)
        $0.write(output, svg)
      }
      let cases = try select()
      if list { return try showList(cases) }
      try refuseOneFile(for: ("--output", output), and: ("--svg", svg))
      try refuseOneFile(for: ("--compare", compare?.name), and: ("--svg", svg))
      let earlier = try compare?.report()
      let destination = if let output { try ReportDestination(file: output) } else { ReportDestination.standardOutput }
      let drawing = if let svg { try ReportDestination(file: svg) } else { ReportDestination?.none }
      let (measured, signal, metShortage) = try measure(cases)
      var report = measured
      if let earlier { report.comparison = BenchComparison(of: report, with: earlier) }
      // A host that had no room for any has told nothing that could take the place of an earlier drawing.
      if !metShortage || report.measurements.contains(where: { $0.state == .measured }) {
        try drawing?.write(report.svg)
      }
      try write(report, to: destination)
      if let signal { return ExitStatus(signal: signal) }
      if metShortage { return .noRoom(for: "measurements") }
      let isTooSlow = failIfSlower.map { report.comparison?.isSlower(byPercent: $0) ?? false } ?? false
      return report.success && !isTooSlow ? .success : .failed
    }
  }

  private func select() throws(Failure) -> [MeasurementCase] {
    let all = MeasurementCase.all()
    guard !filters.isEmpty else { return all }
    var ids: Set<String> = []
    for filter in filters {
      let matches = MeasurementCase.named(filter, among: all)
      guard !matches.isEmpty else {
        throw Failure(
          "no measurement's id is '\(filter)' or begins with it; 'lapwing bench --list' shows what there is", .usage)
      }
      ids.formUnion(matches.map(\.id))
    }
    return all.filter { ids.contains($0.id) }
  }

  private func showList(_ cases: [MeasurementCase]) throws(Failure) -> ExitStatus {
    try show(MeasurementList(cases), format) { $0.text }
    return .success
  }

  private func measure(_ cases: [MeasurementCase]) throws(Failure) -> (
    report: BenchReport, signal: Int32?, metShortage: Bool
  ) {
    let start = ContinuousClock.now
    let system = try openKVM(forManyMachines: true)
    let signals = InterruptSignals()
    let survey = HostSurvey.take()
    var runner = MeasurementRunner(system: system, samples: samples)
    runner.limit = timeout.duration
    let progress = BenchProgress(rounds: rounds)
    let series = BenchRunner(runner, rounds: rounds).run(
      cases, isInterrupted: { signals.isPending }, watch: { progress.show($0, $1) })
    progress.end()
    let signal = signals.release()
    var report = BenchReport(
      series,
      host: BenchReport.Host(
        kernel: survey.kernelRelease, backEnd: survey.backEnd?.moduleName, apicv: survey[.apicv].evidence),
      options: BenchReport.Options(filters: filters, rounds: rounds, samples: samples), isInterrupted: signal != nil,
      duration: .now - start)
    report.origin = .current
    return (report, signal, series.contains(where: \.metShortage))
  }

  /// Into a file goes the report alone; a person still gets the text.
  private func write(_ report: BenchReport, to destination: ReportDestination) throws(Failure) {
    let text: String
    do {
      text = format == .json ? try JSONDocument.text(report) : report.text(destination.style)
    } catch {
      throw Failure("the report cannot be written as JSON: \(error)", .internalFault)
    }
    try destination.write(text)
    if !destination.isStandardOutput {
      try ReportDestination.standardOutput.write(report.text(StandardOutput.style))
    }
  }
}
