import ArgumentParser
import KVM
import MachineState
import Reports
import Support
import SystemPackage
import VMM

/// `lapwing snapshot`: runs a guest up to a moment and keeps what the machine is then.
struct SnapshotCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "snapshot", abstract: "Run a guest up to a moment and keep the machine's state and memory.",
    discussion: """
      FILE is a JSON document (docs/machine-state.md), FILE.memory beside it has the guest's memory. 'lapwing restore \
      FILE' goes on from there, 'lapwing inspect FILE' shows it.
      """)

  @Argument(
    help: """
      A built-in guest or the path of an image; or a snapshot, with which it goes on up to the moment, on the machine \
      that it was taken of.
      """)
  var guest: GuestArgument

  @Option(
    help: """
      When: so long after the start, such as 20ms; at exit:N, the N-th exit to this program, of all vCPUs together; at \
      mark:N, when the guest tells its host that it has come to mark N or a later one; or at mark:TEXT, when it writes \
      that mark down.
      """)
  var at: SnapshotMoment

  @Option(name: .shortAndLong, help: "The file for the state.")
  var output: String

  @OptionGroup(title: "Machine")
  var machine: MachineOptions

  @Option(help: "How long the guest may take to come there, such as 500ms, 10s or 2m.")
  var timeout = TimeLimit.seconds(30)

  @Flag(name: .shortAndLong, help: "Show what the guest prints and nothing else.")
  var quiet = false

  @OptionGroup var confinement: ConfinementOptions

  func validate() throws {
    guard machine.cpu?.hasSynIC != true else {
      throw ValidationError("the connections of Hyper-V's interrupt controller are not kept; leave out hv_synic")
    }
  }

  func run() throws {
    try perform { () throws(Failure) in try takeSnapshot() }
  }

  private func takeSnapshot() throws(Failure) -> ExitStatus {
    try confinement.enter { needs in
      self.machine.describe(&needs, guest)
      if GuestArgument.isSnapshot(guest.name) { needs.readState(guest.name) }
      needs.write(output)
    }
    let file = SnapshotFile(try FilePath(output: output))
    do throws(SnapshotFileError) { try file.checkWritable() } catch { throw Failure(error) }
    // A snapshot that is gone on with may take its own place: it is whole until the next one is.
    if !GuestArgument.isSnapshot(guest.name) {
      try refuseOneFile(for: ("the image", guest.fileName), and: ("--output", output))
    }
    try refuseOneFile(for: machine.files, and: ("--output", output))
    let console = Console { StandardOutput.write($0) }
    // Before signals are held: either may come from a pipe whose writer sleeps.
    let earlier =
      GuestArgument.isSnapshot(guest.name)
      ? try SnapshotFile.forRestoring(guest.name, machine.disk, within: timeout.duration) : nil
    let image = earlier == nil ? try machine.image(of: guest, within: timeout.duration) : nil
    let signals = InterruptSignals()
    let name = earlier?.state.guest ?? guest.name
    let machine =
      if let earlier { try Machine.restoring(earlier, console: console) } else if let image {
        try machine.build(image, console: console)
      } else {
        throw Failure("there is no guest '\(guest.name)'", .badFile)
      }
    let snapshot = try snapshot(of: machine, name, signals)
    let isWritten = try snapshot.map { snapshot throws(Failure) in try write(snapshot, to: file, signals) } ?? false
    let signal = signals.release()
    guard let snapshot, isWritten else {
      if let signal { return ExitStatus(signal: signal) }
      throw failure(of: machine, name)
    }
    snapshot.state.warnOfContradictions(in: output)
    if !quiet {
      StandardError.print(
        "lapwing: '\(name)' at \(at): \(count(snapshot.state.vcpus.count, "vCPU")) and "
          + "\(count(Int(snapshot.memory.pages), "page")) of memory in '\(output)'")
    }
    return .success
  }

  /// Why the guest did not come to the moment.
  private func failure(of machine: Machine, _ name: String) -> Failure {
    guard let outcome = machine.stop.reason else { return Failure("the time limit passed before \(at)", .timeLimit) }
    return Failure(outcome) ?? Failure("'\(name)' ended before \(at): \(outcome)", .failed)
  }

  private func count(_ number: Int, _ noun: String) -> TextLine { "\(number) \(noun)\(number == 1 ? "" : "s")" }

  /// Says whether it was written: not where a signal came.
  private func write(
    _ snapshot: Snapshot, to file: SnapshotFile, _ signals: InterruptSignals
  ) throws(Failure) -> Bool {
    do throws(SnapshotFileError) {
      return try file.write(snapshot, isCancelled: { signals.isPending })
    } catch {
      throw Failure(error)
    }
  }

  private func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }

  /// The machine at the moment; nil where the guest does not come there.
  private func snapshot(
    of machine: Machine, _ name: String, _ signals: InterruptSignals
  ) throws(Failure) -> Snapshot? {
    try StopOnSignal.watch(machine, signals) { () throws(Failure) in
      do throws(MachineError) {
        // Nobody outside can do anything to this machine: one that waits for good does not come to an exit or a mark.
        var idleWatch = IdleWatch(machine)
        let running = try machine.start(pausingAt: at.moment)
        let isThere = try machine.pause(at: at.moment, within: timeout.duration) { _ = idleWatch?.look() }
        guard isThere, machine.stop.reason == nil else { return nil }
        let snapshot = try machine.snapshot(guest: name)
        _ = running.finish()
        return snapshot
      } catch {
        throw Failure(error)
      }
    }
  }
}
