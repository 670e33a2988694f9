import Control
import Debugger
import Evidence
import KVM
import Reports
import Support
import SystemPackage
import VMM

/// Runs a machine to its end, shows what happens and prints the report: what `run` and `restore` do.
struct GuestRun {
  /// What the report calls the guest.
  let guest: String
  /// How long it may run.
  let limit: Duration
  /// How the report is printed.
  let presentation: RunPresentation
  /// What gdb needs; nil where it was not asked for.
  var debugging: DebuggedRun?
  /// Types what its serial port is to receive; nil for nothing.
  var input: ((Machine) -> Void)?
  /// What is injected from outside; nil where nothing is.
  var injections: InjectionPlan?
  /// Where requests come from; nil for nowhere.
  var control: LocalListener?
  /// What may interrupt the guest from outside and is no irqfd, in words.
  var externalSources: [String] = []
  /// Where its timeline goes; nil for nowhere.
  var timeline: StartedTimeline?
  /// Takes snapshots; nil where none were asked for.
  var snapshots: NumberedSnapshots?

  /// Where the serial port of a machine for such a run leads.
  func makeConsole() -> Console {
    let showsConsole = presentation.format == .human
    return Console { showsConsole ? StandardOutput.write($0) : $0.count }
  }

  /// Runs a machine.
  ///
  /// - Parameter signals: held back since before the machine was built.
  func run(_ machine: Machine, _ signals: InterruptSignals) throws(Failure) -> ExitStatus {
    var recorder = RunRecorder(
      guest: guest, machine: machine, backEnd: BackEnd.loaded()?.moduleName ?? "unknown",
      programStart: Lapwing.start)
    let style = StandardOutput.style
    var lines: [TextLine] = []
    // Before the machine is started: its threads are recorded because this one starts them.
    let journeys = presentation.isTraced || timeline != nil ? try makeJourneyRecorder() : nil
    let runTimeline = timeline.flatMap { timeline in
      journeys.map { RunTimeline(in: timeline.file, guest: guest, machine, $0) }
    }
    input?(machine)
    let server = try makeServer(for: machine)
    // However it ends.
    defer { server?.finish() }
    let injector = try injections.map { plan throws(Failure) in try plan.injector(into: machine) }
    var idleWatch = IdleWatch(
      machine, ownSources: { injector?.isComing == true ? ["an injection"] : [] },
      externalSources: externalSources + (debugging == nil ? [] : ["what gdb does"]))
    var threads: [Int32] = []
    let debugger = try debugging?.serve(machine)
    let outcome: Outcome
    do throws(MachineError) {
      outcome = try machine.run(limit: limit, every: .milliseconds(20)) {
        // Nobody is left to be told: the report goes where the rest went.
        if signals.isPending || StandardOutput.loss != nil { machine.stop.stop(.stopped) }
        let records = recorder.take()
        if presentation.isWatched { lines += records.compactMap { $0.line(style) } }
        StandardOutput.offer(&lines)
        journeys?.drain()
        snapshots?.takeIfAsked(of: machine)
        if let word = idleWatch?.look() { StandardError.print("lapwing: \(word)") }
      } threads: {
        runTimeline?.know(threads: $0)
      } ended: {
        threads = $0
      }
    } catch {
      debugger?.finish(.stopped)
      _ = injector?.finish()
      throw Failure(error)
    }
    debugger?.finish(outcome)
    server?.finish()
    let injected = injector.map { ($0.injections, $0.finish()) }
    let signal = signals.release()
    if let failure = Failure(outcome) { throw failure }
    var report: RunReport
    do throws(KVMError) {
      report = try recorder.report(
        outcome, journeys: journeys, threads: threads, injections: injected,
        requests: server?.requestedInjections)
    } catch {
      throw Failure(error)
    }
    report.origin = .current
    if !presentation.isTraced { report.trace = nil }
    if !report.success, signal == nil { snapshots?.takeAfterFailure(of: machine) }
    try tell(report, after: lines, of: machine)
    try timeline?.commit()
    return signal.map(ExitStatus.init(signal:)) ?? status(of: report)
  }

  /// Shows the report, and what else helps a person.
  private func tell(_ report: RunReport, after lines: [TextLine], of machine: Machine) throws(Failure) {
    if !presentation.isQuiet {
      try show(report, presentation.format) {
        (lines.map(\.text) + [$0.text(StandardOutput.style, allStatistics: presentation.showsAllStatistics)]).joined(
          separator: "\n")
      }
    }
    if report.outcome.kind == .reset, let reason = machine.console.kernelPanic {
      StandardError.print("lapwing: the guest's kernel panicked: \(reason)")
    }
    if !report.success, machine.isMissingUnitTestPlatform {
      StandardError.print(
        "lapwing: the guest looked for QEMU's fw_cfg, as kvm-unit-tests do; --machine unittest is a PC that has it")
    }
  }

  private func status(of report: RunReport) -> ExitStatus {
    guard report.success else { return report.outcome.kind == .timeLimit ? .timeLimit : .failed }
    guard injections?.isStrict == true, report.injections?.contains(where: \.isMissed) == true else { return .success }
    StandardError.print("lapwing: --strict: not all that was to be injected came to the guest")
    return .failed
  }

  private func makeServer(for machine: Machine) throws(Failure) -> ControlServer? {
    guard let control else { return nil }
    do throws(MachineError) {
      return try ControlServer(
        control, machine, guest: guest,
        words: { [memory = machine.memory] state in
          Inspection(state) { try? memory.load(UInt32.self, at: $0) }.text()
        }, snapshotRemedy: GuestRunOptions.snapshotRemedy)
    } catch {
      throw Failure(error)
    }
  }

  private func makeJourneyRecorder() throws(Failure) -> JourneyRecorder {
    do throws(TraceUnavailable) {
      return try JourneyRecorder(
        TracePool(forRuns: true), deliversVirtually: HostSurvey.take()[.apicv].isAvailable)
    } catch {
      throw Failure(error, for: presentation.isTraced ? "--trace" : "--timeline")
    }
  }
}

extension Failure {
  /// Nothing can be recorded.
  init(_ error: TraceUnavailable, for option: String = "--trace") {
    self.init("\(option): nothing can be recorded: \(error)", .hostCannot)
  }
}

extension Console {
  /// What a Linux kernel said of the panic that made it reset the machine (kernel/panic.c); nil where it said nothing of one.
  var kernelPanic: Substring? {
    let start = "Kernel panic - not syncing: "
    let line = text.split(whereSeparator: \.isNewline).last { $0.contains(start) }
    return line.flatMap { line in line.firstRange(of: start).map { line[$0.upperBound...] } }
  }
}
