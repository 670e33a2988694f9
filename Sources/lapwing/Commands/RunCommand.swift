import ArgumentParser
import Glibc
import KVM
import Reports
import VMM

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

  @Option(help: "human or json.")
  var format = ReportFormat.human

  @Flag(help: "Show every statistic that KVM has; JSON always has them.")
  var stats = false

  @Flag(name: .shortAndLong, help: "Show what the guest prints and nothing else.")
  var quiet = false

  func run() throws {
    try perform { () throws(Failure) in try runGuest() }
  }

  private func runGuest() throws(Failure) -> ExitStatus {
    let signals = InterruptSignals()
    let machine = try buildMachine()
    var recorder = RunRecorder(
      guest: guest.name, machine: machine, backEnd: BackEnd.loaded()?.moduleName ?? "unknown",
      programStart: Lapwing.start)
    let style = StandardOutput.style
    var lines: [String] = []
    let outcome: Outcome
    do throws(MachineError) {
      outcome = try machine.run(limit: timeout.duration) {
        if signals.isPending { machine.stop.stop(.stopped) }
        let records = recorder.take()
        if isWatched { lines += records.compactMap { $0.line(style) } }
        StandardOutput.offer(&lines)
      }
    } catch {
      throw Failure(error)
    }
    let signal = signals.release()
    let report: RunReport
    do throws(KVMError) {
      report = try recorder.report(outcome)
    } catch {
      throw Failure(error)
    }
    if !quiet {
      try show(report, format) { (lines + [$0.text(style, allStatistics: stats)]).joined(separator: "\n") }
    }
    if let signal { return signal == SIGINT ? .interrupted : .terminated }
    return report.success ? .success : report.outcome.kind == "time-limit" ? .timeLimit : .failed
  }

  private var isWatched: Bool { format == .human && !quiet }

  private func buildMachine() throws(Failure) -> Machine {
    let image = try guest.image()
    let showsConsole = format == .human
    let console = Console { showsConsole ? StandardOutput.write($0) : $0.count }
    let kvm: System
    do throws(KVMError) {
      kvm = try KVM.open()
    } catch {
      throw Failure(error)
    }
    do throws(MachineError) {
      return try Machine(machine.configuration, image: image, on: kvm, console: console)
    } catch {
      throw Failure(error)
    }
  }
}
