import VMM

/// How a guest ended, for a report.
public struct OutcomeReport: Codable, Sendable {
  /// One word: `finished`, `debug-exit`, `shutdown`, `reset`, `system-event`, `unrunnable`, `run-failed`, `time-limit`
  /// or `stopped`.
  public var kind: String
  /// The guest's own status or the value of its debug exit; absent otherwise.
  public var status: UInt32?
  /// The vCPU that ended it, if one did.
  public var vcpu: Int?
  /// The same for a person.
  public var message: String

  init(_ outcome: Outcome) {
    message = outcome.description
    vcpu = outcome.vcpu
    switch outcome {
    case .finished(let status, _): (kind, self.status) = ("finished", status)
    case .debugExit(let value, _): (kind, status) = ("debug-exit", value)
    case .shutdown: kind = "shutdown"
    case .reset: kind = "reset"
    case .systemEvent: kind = "system-event"
    case .unrunnable: kind = "unrunnable"
    case .runFailed: kind = "run-failed"
    case .timeLimit: kind = "time-limit"
    case .stopped: kind = "stopped"
    }
  }
}
