import VMM

extension UnitTestResult {
  /// What an image's end says, by the status that QEMU's debug exit makes of it (the suite's scripts/arch-run.bash).
  static func verdict(_ outcome: Outcome, limit: Duration, _ checks: [UnitTestCheck]) -> Verdict {
    switch outcome {
    case .debugExit(let value, _):
      switch DebugExitPort.status(of: value) {
      case 1: return .passed
      case 3: return .failed(failures(checks))
      case 77: return .skipped(checks.last { $0.verdict == .skipped }?.text ?? "it says that this host cannot run it")
      case 127: return .failed("it was aborted")
      case let status: return .failed("it ended with the status \(status), which means nothing")
      }
    case .timeLimit: return .failed("it did not end within \(seconds(limit))")
    case .stopped: return .failed("it was interrupted")
    default: return .failed("\(outcome)")
    }
  }

  private static func failures(_ checks: [UnitTestCheck]) -> String {
    let failed = checks.filter { $0.verdict == .failed }
    guard let first = failed.first else { return "it says so" }
    return first.text + (failed.count > 1 ? ", and \(failed.count - 1) more of \(checks.count) checks" : "")
  }

  private static func seconds(_ limit: Duration) -> String { "\((limit / .seconds(1)).rounded()) s" }
}
