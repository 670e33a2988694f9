import ArgumentParser
import Reports
import Support

/// What `run` and `restore` have alike: how long a guest runs, what of it is reported, and what comes to it from outside.
struct GuestRunOptions: ParsableArguments {
  @Option(help: "human or json.")
  var format = ReportFormat.human

  @Flag(help: "Show every statistic that KVM has; JSON always has them.")
  var stats = false

  @Flag(help: traceHelp)
  var trace = false

  @Flag(name: .shortAndLong, help: "Show what the guest prints and nothing else.")
  var quiet = false

  @Option(help: TimelineArgument.help, completion: TimelineArgument.completion)
  var timeline: String?

  @Option(
    help:
      "Take a snapshot whenever this signal comes: USR1, USR2, HUP or QUIT; or, with failure, once the guest has failed."
  )
  var snapshotOn: SnapshotOccasion?

  @Option(
    help: """
      The snapshots' files, with %d for a number: the first that is not taken. By default the guest's name, a number and \
      .json, in the current folder.
      """)
  var snapshotFile: NumberedFile?

  @OptionGroup(title: "From outside") var stimuli: StimulusOptions

  @Option(
    help: """
      Wait for gdb before the first instruction: at a TCP port of this host's loopback interface, 0 for one that is free, \
      or at a UNIX socket. docs/debugging.md has a session.
      """)
  var gdb: DebuggerAddress?

  @Option(
    help: """
      A UNIX socket that takes requests while the guest runs, a JSON object a line: docs/control.md has them. It is for \
      this user alone, and removed at the end.
      """, completion: .file())
  var control: String?

  @Option(
    help: """
      With --control: a folder below which clients may have snapshots written, besides the current one and the socket's.
      """, completion: .directory)
  var controlFolder: [String] = []

  @Flag(help: ConfinementOptions.help)
  var noConfine = false

  func validate() throws {
    try TimelineArgument.validate(timeline)
    try validateSnapshots()
    try validateControl()
  }

  /// Gives up all but what the run needs.
  ///
  /// - Parameter describe: Says what the machine needs.
  func confine(_ describe: (inout CommandNeeds) -> Void) throws(Failure) {
    try ConfinementOptions.enter(unless: noConfine) { needs in
      describe(&needs)
      needs.read(stimuli.input, stimuli.injectFile)
      needs.write(timeline)
      if trace || timeline != nil { needs.record() }
      if let snapshotFolder { needs.write(below: snapshotFolder) }
      if let gdb { needs.listen(at: gdb.address) }
      describeControl(&needs)
    }
  }

  /// Refuses a timeline that would take the place of what is read, of what the guest writes to, or of a socket; and one path
  /// for two sockets.
  ///
  /// - Parameter files: what the machine is made of: what each is, and its file's name.
  /// - Throws: `Failure` with 64, before anything is written.
  func refuseSharedFiles(besides files: [(what: TextLine, name: String?)]) throws(Failure) {
    let sockets = controlFiles + debuggerFiles
    try refuseOneFile(for: files + stimuli.files + sockets, and: ("--timeline", timeline))
    for socket in debuggerFiles { try refuseOneFile(for: controlFiles, and: socket) }
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
    let presentation = RunPresentation(format: format, showsAllStatistics: stats, isTraced: trace, isQuiet: quiet)
    var run = GuestRun(guest: guest, limit: limit, presentation: presentation)
    run.injections = try stimuli.plan(vcpus: vcpus, within: limit)
    run.input = try stimuli.typist(within: limit)
    let signals = InterruptSignals(except: snapshotOn?.signal)
    run.debugging = try openDebugger()
    run.control = try openControl()
    run.externalSources += stimuli.inputSources + controlSources
    run.timeline = try TimelineArgument.begin(timeline)
    run.snapshots = snapshots(of: guest)
    return (run, signals)
  }
}
