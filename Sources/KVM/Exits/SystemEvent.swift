import CKVM

/// Why the machine should stop (KVM API, KVM_EXIT_SYSTEM_EVENT).
public struct SystemEvent: Hashable, Sendable {
  /// KVM's number of the event.
  public var type: UInt32
  /// What it says about it, at most 16 words.
  public var data: [UInt64]

  /// An event.
  public init(type: UInt32, data: [UInt64] = []) {
    self.type = type
    self.data = data
  }

  /// The constant's name in `linux/kvm.h`.
  public var name: String {
    switch Int32(bitPattern: type) {
    case KVM_SYSTEM_EVENT_SHUTDOWN: "KVM_SYSTEM_EVENT_SHUTDOWN"
    case KVM_SYSTEM_EVENT_RESET: "KVM_SYSTEM_EVENT_RESET"
    case KVM_SYSTEM_EVENT_CRASH: "KVM_SYSTEM_EVENT_CRASH"
    case KVM_SYSTEM_EVENT_WAKEUP: "KVM_SYSTEM_EVENT_WAKEUP"
    case KVM_SYSTEM_EVENT_SUSPEND: "KVM_SYSTEM_EVENT_SUSPEND"
    case KVM_SYSTEM_EVENT_SEV_TERM: "KVM_SYSTEM_EVENT_SEV_TERM"
    case KVM_SYSTEM_EVENT_TDX_FATAL: "KVM_SYSTEM_EVENT_TDX_FATAL"
    default: "system event \(type)"
    }
  }
}
