import ArgumentParser
import ForeignStates
import KVM
import MachineState
import Rules
import Support
import SystemPackage
import VMM

/// `lapwing convert`: another program's machine made a snapshot.
struct ConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert", abstract: "Make what QEMU saved a snapshot that Lapwing goes on with.",
    discussion: """
      FILE is a migration stream of QEMU of a PC (pc or q35), memory and all. The stream has no CPUID: --cpu is what QEMU's \
      -cpu was. What goes on is the unit tests' PC (--machine unittest) with the vCPUs, their local APICs, PIC, IOAPIC, PIT, \
      the first serial port and the memory; the state of other devices is left out and named, and they begin anew. Where \
      something is missing that a machine needs, the exit status is 65 and the message names it. docs/inspect.md says more.
      """)

  @Argument(help: "The stream; - for standard input.", completion: .file())
  var file: String

  @Option(name: .shortAndLong, help: "The file for the state; its memory goes beside it.")
  var output: String

  @Option(help: "The processor that QEMU was given, such as qemu64,+x2apic.")
  var cpu = CPUModel.unitTestDefault

  @Flag(name: .shortAndLong, help: "Say nothing of what was left out.")
  var quiet = false

  @OptionGroup var confinement: ConfinementOptions

  func run() throws {
    try perform { () throws(Failure) in try convert() }
  }

  private func convert() throws(Failure) -> ExitStatus {
    try confinement.enter {
      $0.read(file)
      $0.write(output)
    }
    let path = try FilePath(output: output)
    let destination = SnapshotFile(path)
    do throws(SnapshotFileError) { try destination.checkWritable() } catch { throw Failure(error) }
    if file != "-" { try refuseOneFile(for: ("the stream", file), and: ("--output", output)) }
    let kvm = try openKVM()
    let spool: MemorySpool
    do throws(Errno) { spool = try MemorySpool(besides: path) } catch {
      throw .unwritable("beside '\(output)'", error)
    }
    let conversion: QEMUConversion
    do throws(Failure) { conversion = try read(into: spool) } catch {
      guard let lack = spool.failure else { throw error }
      throw Failure(
        "cannot write beside '\(output)', where memory is kept meanwhile: \(lack); make room there, or name another place",
        .badFile)
    }
    guard conversion.missing.isEmpty else {
      throw Failure("'\(file)' lacks what a machine needs to go on: \(list(conversion.missing))", .badFile)
    }
    let configuration = conversion.configuration(cpu: cpu)
    let cpuid: [[CPUIDEntry]]
    do throws(KVMError) { cpuid = try configuration.cpuid(on: kvm) } catch { throw Failure(MachineError.kvm(error)) }
    let state: MachineState
    do throws(MalformedState) {
      state = try conversion.machineState(configuration, cpuid: cpuid, guest: file)
    } catch {
      throw Failure("'\(file)' does not make a machine's state: \(error)", .badFile)
    }
    let signals = InterruptSignals()
    let isWritten: Bool
    do throws(SnapshotFileError) {
      isWritten = try destination.write(state, memory: spool, isCancelled: { signals.isPending })
    } catch {
      throw Failure(error)
    }
    let signal = signals.release()
    guard isWritten else { return signal.map { ExitStatus(signal: $0) } ?? .internalFault }
    state.warnOfContradictions(in: output)
    if !quiet, !conversion.leftOut.isEmpty {
      StandardError.print("lapwing: left out, with what they hold: \(list(conversion.leftOut))")
    }
    return .success
  }

  private func list(_ names: [String]) -> TextLine {
    names.map { TextLine($0, atMost: 200) }.joined(separator: ", ")
  }

  private func read(into spool: MemorySpool) throws(Failure) -> QEMUConversion {
    try StateFile.read(file) { (bytes) throws(ForeignStateError) in
      var bytes = bytes
      guard QEMUConversion.matches(&bytes) else {
        // It may be another format, of which that can be said, or none.
        var reader = StateReader(bytes)
        let format = try reader.read().state.format
        throw ForeignStateError(
          .qemu, "\(format.words), which has no memory that could be converted, cannot become a snapshot")
      }
      return try QEMUConversion(bytes, memory: spool)
    }
  }
}
