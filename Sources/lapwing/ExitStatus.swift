import ArgumentParser
import Glibc
import KVM
import Support
import SystemPackage
import VMM

/// How the program ends, as scripts see it; the numbers above 63 are those of sysexits.h.
enum ExitStatus: Int32, CaseIterable {
  case success = 0
  case failed = 1
  case usage = 64
  /// A file that cannot be read, makes no sense, or cannot be written; standard output too.
  case badFile = 65
  case hostCannot = 69
  case internalFault = 70
  case timeLimit = 124
  /// The terminal's end, SIGHUP: 128 and the signal's number, as shells have it.
  case hungUp = 129
  /// Ctrl-C, likewise.
  case interrupted = 130
  /// SIGTERM, likewise.
  case terminated = 143

  /// What it says, for a person.
  private var meaning: String {
    switch self {
    case .success: "success"
    case .failed: "a check failed or the guest failed"
    case .usage: "wrong usage"
    case .badFile: "a file that cannot be read or written, or makes no sense; an output that nobody takes"
    case .hostCannot: "this host cannot"
    case .internalFault: "an internal fault"
    case .timeLimit: "the time limit passed"
    case .hungUp: "ended by SIGHUP"
    case .interrupted: "ended by SIGINT"
    case .terminated: "ended by SIGTERM"
    }
  }

  /// All of them with their meanings.
  static var summary: String {
    "Exit status: " + allCases.map { "\($0.rawValue) \($0.meaning)" }.joined(separator: "; ") + "."
  }

  var code: ExitCode { ExitCode(rawValue) }

  /// The end that a signal asked for: one of `InterruptSignals`.
  init(signal: Int32) { self = signal == SIGINT ? .interrupted : signal == SIGHUP ? .hungUp : .terminated }
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

  /// What was asked for cannot be shown.
  static func standardOutput(_ error: Errno) -> Failure {
    Failure("the report cannot be written to standard output: \(error)", .badFile)
  }

  /// KVM refused: mostly because of what the host is.
  init(_ error: KVMError) {
    self.init("\(error)", .hostCannot)
  }

  /// A guest that this host could not run: KVM had no thread or no memory for it; nil for any other end.
  init?(_ outcome: Outcome) {
    guard case .runFailed(let error, _) = outcome, error.isShortage else { return nil }
    self.init(error)
  }

  /// A machine could not be built.
  init(_ error: MachineError) {
    let status: ExitStatus =
      switch error {
      case _ where MachineError.isShortage(error): .hostCannot
      case .configuration: .usage
      case .image, .memory: .badFile
      case .kvm, .setting, .missingCapability, .thread: .hostCannot
      case .pause, .pauseOfDevice: .internalFault
      case .device, .disk: .badFile
      }
    self.init("\(error)", status)
  }
}

extension ExitStatus {
  /// Says that some of what was run failed because this host had no room for it, which is no verdict on its KVM.
  ///
  /// - Parameter runs: what failed.
  static func noRoom(for runs: TextLine) -> ExitStatus {
    StandardError.print(
      "lapwing: \(runs) failed because there was no descriptor, thread or memory left; raise the limits (ulimit -n, -u, -v)"
    )
    return .hostCannot
  }
}

extension ParsableCommand {
  /// Runs the body of a command and ends the program as it says.
  func perform(_ body: () throws(Failure) -> ExitStatus) throws {
    let status: ExitStatus
    do throws(Failure) {
      status = try body()
      // Not only the report: what a guest has printed, too.
      if [.success, .failed].contains(status), let loss = StandardOutput.loss { throw .standardOutput(loss) }
    } catch {
      StandardError.print("lapwing: \(error.message)")
      for detail in error.details { StandardError.print("  \(detail)") }
      throw error.status.code
    }
    if status != .success { throw status.code }
  }
}
