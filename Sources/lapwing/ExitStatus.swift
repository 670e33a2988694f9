import ArgumentParser
import Glibc
import KVM
import Support
import VMM

/// How the program ends, as scripts see it; the numbers above 63 are those of sysexits.h.
enum ExitStatus: Int32 {
  case success = 0
  case failed = 1
  case usage = 64
  case badInput = 65
  case hostCannot = 69
  case internalFault = 70
  case timeLimit = 124
  /// Ctrl-C: 128 and the signal's number, as shells have it.
  case interrupted = 130
  /// SIGTERM, likewise.
  case terminated = 143

  var code: ExitCode { ExitCode(rawValue) }

  /// The end that a signal asked for: SIGINT or SIGTERM.
  init(signal: Int32) { self = signal == SIGINT ? .interrupted : .terminated }
}

/// Something went wrong: what a person reads on standard error, and how the program ends.
struct Failure: Error {
  let message: TextLine
  /// What there is to say about it line by line.
  let details: [TextLine]
  let status: ExitStatus

  init(_ message: TextLine, details: [TextLine] = [], _ status: ExitStatus) {
    self.message = message
    self.details = details
    self.status = status
  }

  /// KVM refused: mostly because of what the host is.
  init(_ error: KVMError) {
    self.init("\(error)", .hostCannot)
  }

  /// A machine could not be built.
  init(_ error: MachineError) {
    let status: ExitStatus =
      switch error {
      case .configuration: .usage
      case .image, .memory: .badInput
      case .kvm, .setting, .missingCapability, .thread: .hostCannot
      case .pause: .internalFault
      case .device: .badInput
      }
    self.init("\(error)", status)
  }
}

extension ParsableCommand {
  /// Runs the body of a command and ends the program as it says.
  func perform(_ body: () throws(Failure) -> ExitStatus) throws {
    let status: ExitStatus
    do throws(Failure) {
      status = try body()
    } catch {
      StandardError.print("lapwing: \(error.message)")
      for detail in error.details { StandardError.print("  \(detail)") }
      throw error.status.code
    }
    if status != .success { throw status.code }
  }
}
