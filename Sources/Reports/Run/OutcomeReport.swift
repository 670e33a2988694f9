import VMM

/// How a guest ended, for a report.
public struct OutcomeReport: Codable, Sendable {
  /// What ended it.
  public var kind: Kind
  /// The guest's own status or the value of its debug exit; absent otherwise.
  public var status: UInt32?
  /// The vCPU that ended it, if one did.
  public var vcpu: Int?
  /// The same for a person.
  public var message: String

  /// The ways in which a guest ends, each with its word in a document.
  public enum Kind: String, Codable, Hashable, Sendable {
    /// It said that it is done.
    case finished
    /// It wrote to QEMU's port of debug exits.
    case debugExit = "debug-exit"
    /// A triple fault, or another shutdown of a processor.
    case shutdown
    /// It reset the machine.
    case reset
    /// KVM_EXIT_SYSTEM_EVENT, or a port that turns the machine off.
    case systemEvent = "system-event"
    /// KVM cannot go on with it.
    case unrunnable
    /// KVM_RUN failed.
    case runFailed = "run-failed"
    /// It did not end in time.
    case timeLimit = "time-limit"
    /// Somebody ended it.
    case stopped
  }

  init(_ outcome: Outcome) {
    message = outcome.description
    vcpu = outcome.vcpu
    switch outcome {
    case .finished(let status, _): (kind, self.status) = (.finished, status)
    case .debugExit(let value, _): (kind, status) = (.debugExit, value)
    case .shutdown: kind = .shutdown
    case .reset: kind = .reset
    case .systemEvent: kind = .systemEvent
    case .unrunnable: kind = .unrunnable
    case .runFailed: kind = .runFailed
    case .timeLimit: kind = .timeLimit
    case .stopped: kind = .stopped
    }
  }
}
