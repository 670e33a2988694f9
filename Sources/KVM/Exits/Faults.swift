import CKVM
import SystemPackage

/// Why KVM cannot go on with the guest (KVM_EXIT_INTERNAL_ERROR).
public struct InternalError: Hashable, Sendable {
  /// KVM's number of the error.
  public var suberror: UInt32
  /// What it says about it, at most 16 words; their meaning is KVM's own.
  public var data: [UInt64]
  /// The instruction that could not be emulated, as far as KVM gives it.
  public var instruction: [UInt8]

  /// An error.
  public init(suberror: UInt32, data: [UInt64] = [], instruction: [UInt8] = []) {
    self.suberror = suberror
    self.data = data
    self.instruction = instruction
  }

  /// The constant's name in `linux/kvm.h`.
  public var name: String {
    switch Int32(bitPattern: suberror) {
    case KVM_INTERNAL_ERROR_EMULATION: "KVM_INTERNAL_ERROR_EMULATION"
    case KVM_INTERNAL_ERROR_SIMUL_EX: "KVM_INTERNAL_ERROR_SIMUL_EX"
    case KVM_INTERNAL_ERROR_DELIVERY_EV: "KVM_INTERNAL_ERROR_DELIVERY_EV"
    case KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON: "KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON"
    default: "internal error \(suberror)"
    }
  }
}

/// The processor's refusal to enter the guest (KVM_EXIT_FAIL_ENTRY).
public struct FailedEntry: Hashable, Sendable {
  /// The hardware's reason, such as VT-x's exit reason with bit 31.
  public var reason: UInt64
  /// The host CPU it happened on.
  public var cpu: UInt32

  /// A refusal.
  public init(reason: UInt64, cpu: UInt32) {
    self.reason = reason
    self.cpu = cpu
  }
}

/// A range of guest memory that could not be used (KVM_EXIT_MEMORY_FAULT).
public struct MemoryFault: Hashable, Sendable {
  /// Whether the access was to private memory (KVM_MEMORY_EXIT_FLAG_PRIVATE).
  public var isPrivate: Bool
  /// The first byte, guest-physical.
  public var address: UInt64
  /// How many bytes.
  public var size: UInt64

  /// A range.
  public init(isPrivate: Bool = false, address: UInt64, size: UInt64) {
    self.isPrivate = isPrivate
    self.address = address
    self.size = size
  }

  init(_ raw: ckvm_memory_fault_exit) {
    self.init(
      isPrivate: raw.flags & UInt64(KVM_MEMORY_EXIT_FLAG_PRIVATE) != 0, address: raw.address, size: raw.size)
  }

  /// The fault that KVM_RUN left in the page while it failed with EFAULT or EHWPOISON; nil when it left none.
  init?(_ page: borrowing RunPage, errno: Errno) {
    let isFault = errno == .badAddress || errno == Errno(rawValue: EHWPOISON)
    guard isFault, unsafe page.run.pointee.exit_reason == UInt32(KVM_EXIT_MEMORY_FAULT) else { return nil }
    self.init(unsafe ckvm_run_memory_fault(page.run))
  }
}
