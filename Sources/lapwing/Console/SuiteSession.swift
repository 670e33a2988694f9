import Evidence
import KVM
import Reports
import Scenarios
import Support
import Timelines
import VMM

/// Runs cases of the suite on this host while somebody watches.
struct SuiteSession {
  /// What running them came to.
  let outcome: SuiteOutcome
  /// Where they ran.
  let host: HostSurvey
  /// The signal that ended it before its time.
  let signal: Int32?
  /// How long it took.
  let duration: Duration
  private let expected: ExpectedFailures?

  /// Runs the cases.
  ///
  /// - Parameters:
  ///   - cases: the cases.
  ///   - options: how they are run.
  ///   - sabotage: what is done to every case; nil for nothing.
  ///   - expected: the failures that are expected; nil for none.
  ///   - timeline: where their timelines go; nil for nowhere.
  ///   - destination: where the report goes. Once it cannot be written any more, no case is begun.
  ///   - isHuman: whether the report is for a person; progress goes to standard error where standard output is for a document.
  ///   - admit: refuses a host.
  init(
    _ cases: [ScenarioCase], _ options: SuiteOptions, sabotage: SabotageKind? = nil,
    expected: ExpectedFailures? = nil, timeline: StartedTimeline? = nil, destination: ReportDestination, isHuman: Bool,
    admit: (HostSurvey) throws(Failure) -> Void = { _ in }
  ) throws(Failure) {
    let start = ContinuousClock.now
    let system = try openKVM(forManyMachines: true)
    let signals = InterruptSignals()
    var host = HostKnowledge(survey: HostSurvey.take())
    try admit(host.survey)
    host.probe(for: cases.lazy.map(\.scenario), on: system, isInterrupted: { signals.isPending })
    let tracing = TracePool()
    defer { tracing.close() }
    let runner = options.runner(system, host, tracing: tracing, sabotage: sabotage, timeline: timeline)
    let place = SuiteReport.Host(host.survey)
    var progress = SuiteProgress(
      planned: cases.count * options.repeat, toErrors: destination.isStandardOutput && !isHuman)
    do throws(MachineError) {
      outcome = try runner.run(
        cases, isInterrupted: { signals.isPending || destination.isLost }, interruption: signals.descriptor,
        watch: { ended, running in
          progress.show(
            ended.map { run in
              let item = CaseReport(run.testCase, run.result, sabotage: sabotage)
              return expected?.judged(item, on: place) ?? item
            }, running: running.map(\.id))
        })
    } catch {
      throw Failure(error)
    }
    signal = signals.release()
    progress.end()
    try timeline?.commit()
    self.host = host.survey
    self.expected = expected
    duration = .now - start
  }

  /// The report of some of the cases, or of all.
  func report(_ options: SuiteReport.Options, of part: SuiteOutcome? = nil, sabotage: SabotageKind? = nil)
    -> SuiteReport
  {
    var report = SuiteReport(
      part ?? outcome, host: SuiteReport.Host(host), options: options, sabotage: sabotage, duration: duration,
      expected: expected)
    report.origin = .current
    return report
  }

  /// How the program ends.
  func status(success: Bool) -> ExitStatus {
    if let signal { return ExitStatus(signal: signal) }
    if outcome.metShortage { return .noRoom(for: "cases") }
    return success ? .success : .failed
  }
}

extension TimelineFile {
  /// Adds what was recorded of a case; times count from the start of the program.
  ///
  /// - Parameters:
  ///   - recording: that.
  ///   - testCase: the case.
  ///   - isCompared: whether it is run with APICv and without.
  func add(_ recording: MachineRecording, of testCase: ScenarioCase, isCompared: Bool) {
    let circumstance = isCompared ? ", APICv \(testCase.isAPICvInhibited ? "off" : "on")" : ""
    let offset = Int64((recording.start - Lapwing.start) / .nanoseconds(1))
    let machine = TimelineMachine(
      name: testCase.id + circumstance, vcpuIDs: recording.ids, threads: recording.threads.map { [$0] })
    var timeline = begin(machine, exitNames: recording.exitNames, inhibitNames: recording.inhibitNames)
    recording.forEachEvent { timeline.take($0, at: $1 &+ offset) }
    for journey in recording.journeys { timeline.take(journey.shifted(by: offset)) }
    timeline.finish(lost: recording.lostEvents, absent: recording.absentEvents)
  }
}
