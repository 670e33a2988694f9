import ArgumentParser
import Evidence
import KVM
import Reports
import Support
import SystemPackage
import UnitTests
import VMM

/// `lapwing kut`: kvm-unit-tests' images.
struct KutCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kut", abstract: "Run kvm-unit-tests' images for x86-64.",
    discussion: """
      With --config the suite's own unittests.cfg says what is run and how, and NAME selects from it: a test's name, or a \
      pattern, such as 'vmexit_*'. Without, NAME is an image's file. A test that asks for what this machine does not have \
      is skipped, with the reason. Exit status: 0 where every test passed or was skipped; 1 where one failed; 65 for a \
      configuration that cannot be read.
      """)

  @Argument(help: "Tests by name, or images by file.")
  var names: [String] = []

  @OptionGroup(title: "Tests")
  var tests: UnitTestOptions

  @OptionGroup(title: "Report")
  var report: SuiteReportOptions

  @Flag(help: traceHelp)
  var trace = false

  @Option(name: .shortAndLong, help: "How many tests to run at the same time.")
  var jobs = 1

  @Flag(help: "Show the names of the tests, and what becomes of them, instead of running them.")
  var list = false

  @OptionGroup var confinement: ConfinementOptions

  func validate() throws {
    guard (1...256).contains(jobs) else { throw ValidationError("--jobs takes a number from 1 to 256") }
    guard report.format != .markdown else { throw ValidationError("--format markdown is not for unit tests") }
    guard !list || report.format == .human else { throw ValidationError("--list is for a person") }
  }

  func run() throws {
    try perform { () throws(Failure) in
      let images = tests.config == nil ? names : []
      try refuseOneFile(
        for: [("--config", tests.config), ("--environment", tests.environment)] + images.map { ("the image", $0) },
        and: ("--output", report.output))
      let plans = try tests.plans(names, output: report.output)
      // The configuration says which images are read.
      try confinement.enter { needs in
        needs.read(plans.map(\.image))
        needs.write(report.output)
        if trace { needs.record() }
      }
      let destination = try report.destination()
      guard !list else {
        try destination.write(plans.map(\.line).text)
        return .success
      }
      return try run(plans, to: destination)
    }
  }

  private func run(_ plans: [UnitTestPlan], to destination: ReportDestination) throws(Failure) -> ExitStatus {
    let start = ContinuousClock.now
    let system = try openKVM(forManyMachines: true)
    let signals = InterruptSignals()
    var progress = SuiteProgress(
      planned: plans.count, toErrors: destination.isStandardOutput && report.format != .human)
    var runner = UnitTestRunner(system: system, tracing: trace ? try makeTracing() : nil)
    runner.jobs = jobs
    let results: [UnitTestResult?]
    do throws(MachineError) {
      results = try runner.run(
        plans, isInterrupted: { signals.isPending || destination.isLost }, interruption: signals.descriptor,
        watch: { progress.show($0.map { CaseReport($0) }, running: $1) })
    } catch {
      throw Failure(error)
    }
    let signal = signals.release()
    progress.end()
    let host = SuiteReport.Host(HostSurvey.take())
    var suiteReport = SuiteReport(
      plans, results, isInterrupted: signal != nil, host: host,
      options: SuiteReport.Options(filters: names, jobs: jobs), duration: .now - start,
      programStart: Lapwing.start)
    suiteReport.origin = .current
    try report.write(suiteReport, to: destination)
    if let signal { return ExitStatus(signal: signal) }
    if results.contains(where: { $0?.metShortage == true }) { return .noRoom(for: "tests") }
    return suiteReport.success ? .success : .failed
  }

  /// What records interrupts. It is tried once, so that a host on which nothing can be recorded says so before anything runs.
  private func makeTracing() throws(Failure) -> UnitTestRunner.Tracing {
    let pool = TracePool(forRuns: true)
    do throws(TraceUnavailable) {
      pool.giveBack(try pool.lend())
    } catch {
      throw Failure(error)
    }
    return UnitTestRunner.Tracing(pool, deliversVirtually: HostSurvey.take()[.apicv].isAvailable)
  }
}

extension UnitTestPlan {
  /// The test, and what becomes of it, for a person.
  fileprivate var line: TextLine {
    switch decision {
    case .run: "\(test.name)"
    case .skip(let reason): "\(test.name): skipped, \(reason)"
    }
  }
}

extension UnitTestPlan {
  /// The file of what is run.
  fileprivate var image: String? { if case .run(let image, _, _) = decision { image.string } else { nil } }
}
