public import KVM

/// How a guest ended.
public enum Outcome: Sendable {
  /// It said so itself, with a status: 0 is success.
  case finished(status: UInt32, vcpu: Int)
  /// It wrote this value to QEMU's debug exit: 0 is success.
  case debugExit(value: UInt32, vcpu: Int)
  /// It shut down: a triple fault, nearly always.
  case shutdown(vcpu: Int)
  /// It reset the machine.
  case reset(vcpu: Int)
  /// It switched the machine off (ACPI's S5).
  case poweredOff(vcpu: Int)
  /// It raised a system event (KVM_EXIT_SYSTEM_EVENT).
  case systemEvent(String, vcpu: Int)
  /// KVM could not go on with it: an instruction that it cannot emulate, an entry that failed.
  case unrunnable(reason: String, vcpu: Int)
  /// KVM_RUN itself failed.
  case runFailed(KVMError, vcpu: Int)
  /// Every vCPU waits, and nothing can wake one: why, in a sentence.
  case halted(String)
  /// The time limit passed.
  case timeLimit
  /// Somebody outside stopped it.
  case stopped

  /// Whether the guest says that it succeeded.
  public var isSuccess: Bool {
    switch self {
    case .finished(let status, _): status == 0
    case .debugExit(let value, _): value == 0
    case .poweredOff: true
    default: false
    }
  }

  /// Whether the guest ended by itself, and says how: with a status, or by switching off.
  public var isByGuest: Bool {
    switch self {
    case .finished, .debugExit, .poweredOff: true
    default: false
    }
  }

  /// The vCPU that ended it, if one did.
  public var vcpu: Int? {
    switch self {
    case .finished(_, let vcpu), .debugExit(_, let vcpu), .shutdown(let vcpu), .reset(let vcpu), .poweredOff(let vcpu),
      .systemEvent(_, let vcpu), .unrunnable(_, let vcpu), .runFailed(_, let vcpu):
      vcpu
    case .halted, .timeLimit, .stopped: nil
    }
  }
}

extension Outcome: CustomStringConvertible {
  /// What happened, for a person.
  public var description: String {
    switch self {
    case .finished(0, _): "the guest finished"
    case .finished(let status, let vcpu): "the guest finished with status \(status) on vCPU \(vcpu)"
    case .debugExit(0, _): "the guest wrote 0 to the debug exit"
    case .debugExit(let value, let vcpu): "vCPU \(vcpu) wrote \(value) to the debug exit (0 would be success)"
    case .shutdown(let vcpu): "vCPU \(vcpu) shut down: a triple fault"
    case .reset(let vcpu): "vCPU \(vcpu) reset the machine"
    case .poweredOff(let vcpu): "vCPU \(vcpu) switched the machine off"
    case .systemEvent(let event, let vcpu): "vCPU \(vcpu) raised the system event '\(event)'"
    case .unrunnable(let reason, let vcpu): "KVM cannot go on with vCPU \(vcpu): \(reason)"
    case .runFailed(let error, let vcpu): "vCPU \(vcpu): \(error)"
    case .halted(let reason): reason
    case .timeLimit: "the time limit passed"
    case .stopped: "the machine was stopped from outside"
    }
  }
}
