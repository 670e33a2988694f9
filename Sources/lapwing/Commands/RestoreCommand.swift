import ArgumentParser
import KVM
import MachineState
import Support
import SystemPackage
import VMM

/// `lapwing restore`: goes on with a guest from a snapshot.
struct RestoreCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore", abstract: "Go on with a guest from a snapshot.",
    discussion: """
      FILE is what 'lapwing snapshot' or 'lapwing run --snapshot-on' wrote. The guest goes on as if no time had passed, \
      and the report is that of 'lapwing run', with all that the guest has written down from its start on. On a host that \
      cannot take the state, the exit status is 69 and the message says what differs. Contradictions in \
      the state, as 'lapwing inspect --check' finds them, are told before the guest runs.
      """)

  @Argument(help: "The snapshot's file.", completion: .file())
  var file: String

  @Option(help: "How long the guest may run on, such as 500ms, 10s or 2m.")
  var timeout = TimeLimit.seconds(30)

  @Option(
    help: ArgumentHelp(
      "A disk of the machine's, in their order; the file has to be as it was when the snapshot was taken.",
      valueName: "file[,ro]"))
  var disk: [DiskArgument] = []

  @OptionGroup var options: GuestRunOptions

  func run() throws {
    try perform { () throws(Failure) in
      try options.confine {
        $0.readState(file)
        $0.use(disk)
      }
      try options.refuseSharedFiles(besides: [("the snapshot", file)] + disk.map { ("--disk", $0.disk.path) })
      // Before signals are held: these may come from pipes whose writers sleep.
      let snapshot = try SnapshotFile.forRestoring(file, disk, within: timeout.duration)
      snapshot.state.warnOfContradictions(in: file)
      let (run, signals) = try options.prepare(
        snapshot.state.guest, vcpus: snapshot.state.configuration.vcpus, limit: timeout.duration)
      let machine = try Machine.restoring(snapshot, console: run.makeConsole())
      return try run.run(machine, signals)
    }
  }
}

extension SnapshotFile {
  /// A snapshot that a machine is to be made from; what of it this program does not know is told on standard error.
  ///
  /// - Parameters:
  ///   - disks: this host's files for its disks.
  ///   - patience: how long a pipe may take to its end.
  static func forRestoring(
    _ file: String, _ disks: [DiskArgument], within patience: Duration
  ) throws(Failure) -> Snapshot {
    var document: StateDocument
    let memory: MemoryImage
    do throws(SnapshotFileError) {
      (document, memory) = try SnapshotFile(FilePath(file), patience: patience).read()
    } catch {
      throw Failure(error)
    }
    document.noteUnknownMembers(of: file)
    try document.state.configuration.name(disks)
    return Snapshot(state: document.state, memory: memory)
  }
}

extension Machine {
  /// A machine made from a snapshot.
  static func restoring(_ snapshot: Snapshot, console: Console) throws(Failure) -> Machine {
    let kvm = try openKVM()
    do throws(RestoreError) {
      return try Machine(restoring: snapshot, on: kvm, console: console)
    } catch {
      throw Failure(error, takenOn: snapshot.state.host)
    }
  }
}

extension StateDocument {
  /// Says on standard error what of a newer document was left out.
  func noteUnknownMembers(of file: String) {
    guard !unknownMembers.isEmpty else { return }
    StandardError.print(
      "lapwing: '\(file)', of version \(version), has members that this program does not know and leaves out: "
        + unknownMembers.map { TextLine($0, atMost: 200) }.joined(separator: ", "))
  }
}
