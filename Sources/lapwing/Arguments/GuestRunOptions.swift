import ArgumentParser
import Reports
import Support

/// What `run` and `restore` have alike: how long a guest runs, what of it is reported, and what comes to it from outside.
struct GuestRunOptions: ParsableArguments {
  @OptionGroup var report: RunReportOptions

  @OptionGroup var timelineOptions: TimelineOptions

  @OptionGroup var snapshotOptions: SnapshotOptions

  @OptionGroup var inputOptions: InputOptions

  @OptionGroup var debugger: DebuggerOptions

  @OptionGroup(title: "Injections") var injectionOptions: InjectionOptions

  @OptionGroup var controlOptions: ControlOptions

  @OptionGroup var confinement: ConfinementOptions

  /// Gives up all but what the run needs.
  ///
  /// - Parameter describe: Says what the machine needs.
  func confine(_ describe: (inout CommandNeeds) -> Void) throws(Failure) {
    try confinement.enter { needs in
      describe(&needs)
      needs.read(inputOptions.input, injectionOptions.injectFile)
      needs.write(timelineOptions.timeline)
      if report.tracing.trace || timelineOptions.timeline != nil { needs.record() }
      if let folder = snapshotOptions.folder { needs.write(below: folder) }
      debugger.describe(&needs)
      controlOptions.describe(&needs)
    }
  }

  /// Refuses a timeline that would take the place of what is read, of what the guest writes to, or of a socket; and one path
  /// for two sockets.
  ///
  /// - Parameter files: what the machine is made of: what each is, and its file's name.
  /// - Throws: `Failure` with 64, before anything is written.
  func refuseSharedFiles(besides files: [(what: TextLine, name: String?)]) throws(Failure) {
    let sockets = controlOptions.files + debugger.files
    try refuseOneFile(
      for: files + inputOptions.files + injectionOptions.files + sockets, and: ("--timeline", timelineOptions.timeline))
    for socket in debugger.files { try refuseOneFile(for: controlOptions.files, and: socket) }
  }

  /// Makes a run ready, all but its machine. From then on signals are held: what may come from pipes whose writers sleep
  /// has to be read before.
  ///
  /// - Parameters:
  ///   - guest: the guest's name.
  ///   - vcpus: how many vCPUs it has.
  ///   - limit: how long it may run.
  func prepare(
    _ guest: String, vcpus: Int, limit: Duration
  ) throws(Failure) -> (run: GuestRun, signals: InterruptSignals) {
    var run = GuestRun(guest: guest, limit: limit, options: report)
    run.injections = try injectionOptions.plan(vcpus: vcpus, within: limit)
    run.input = try inputOptions.typist(within: limit)
    let signals = InterruptSignals(except: snapshotOptions.snapshotOn?.signal)
    run.debugging = try debugger.open(besides: snapshotOptions)
    run.control = try controlOptions.listener()
    run.externalSources += inputOptions.sources + controlOptions.sources
    run.timeline = try timelineOptions.begin()
    run.snapshots = snapshotOptions.snapshots(of: guest)
    return (run, signals)
  }
}
