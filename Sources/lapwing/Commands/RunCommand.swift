import ArgumentParser
import SystemPackage

/// `lapwing run`: boots a guest and shows what happens.
struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Boot a guest and show its interrupts.",
    discussion: """
      GUEST is the name of a built-in guest (see 'lapwing list') or the path of an image: ELF64, entered in long mode; \
      Multiboot 1, entered in protected mode; or, with --load-address, flat real-mode code. A guest ends by writing to \
      port 0xf4, where 0 is success, as with QEMU's isa-debug-exit; port 0x3f8 is a serial console.
      """)

  @Argument(help: "A built-in guest or the path of an image.")
  var guest: GuestArgument

  @OptionGroup(title: "Machine")
  var machine: MachineOptions

  @Option(help: "How long the guest may run, such as 500ms, 10s or 2m.")
  var timeout = TimeLimit.seconds(30)

  @OptionGroup var report: RunReportOptions

  @Option(help: "Take a snapshot whenever this signal comes: USR1, USR2, HUP or QUIT.")
  var snapshotOn: SnapshotSignal?

  @Option(
    help: """
      The snapshots' files, with %d for a number: the first that is not taken. By default the guest's name, a number and \
      .json, in the current folder.
      """)
  var snapshotFile: NumberedFile?

  func validate() throws {
    if snapshotFile != nil, snapshotOn == nil { throw ValidationError("--snapshot-file needs --snapshot-on") }
  }

  func run() throws {
    try perform { () throws(Failure) in
      let signals = InterruptSignals()
      var run = GuestRun(guest: guest.name, limit: timeout.duration, options: report)
      if let snapshots { run.tick = { snapshots.take(of: $0) } }
      return try run.run(try machine.build(guest, console: run.makeConsole()), signals)
    }
  }

  private var snapshots: SnapshotOnSignal? {
    guard let snapshotOn else { return nil }
    let name = FilePath(guest.name).lastComponent?.string ?? "guest"
    guard let file = snapshotFile ?? NumberedFile(argument: name + ".%d.json") else { return nil }
    return SnapshotOnSignal(snapshotOn, file, guest: guest.name)
  }
}
