public import APIC
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

  /// The suberror of an instruction that KVM cannot emulate (KVM_INTERNAL_ERROR_EMULATION).
  public static let emulation = UInt32(KVM_INTERNAL_ERROR_EMULATION)

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

/// A step or a breakpoint that user space asked for (KVM API, KVM_EXIT_DEBUG).
public struct DebugExit: Hashable, Sendable {
  /// 1 for #DB, 3 for #BP.
  public var exception: Vector
  /// The linear address of the instruction.
  public var pc: UInt64
  /// What caused it.
  public var dr6: UInt64
  /// The breakpoints that were active.
  public var dr7: UInt64

  /// An exit.
  public init(exception: Vector, pc: UInt64, dr6: UInt64, dr7: UInt64) {
    self.exception = exception
    self.pc = pc
    self.dr6 = dr6
    self.dr7 = dr7
  }

  init(_ raw: kvm_debug_exit_arch) {
    self.init(
      exception: Vector(rawValue: UInt8(truncatingIfNeeded: raw.exception)), pc: raw.pc, dr6: raw.dr6, dr7: raw.dr7)
  }
}

/// What every exit says beside its reason (KVM API, section 5).
public struct ExitConditions: Hashable, Sendable {
  /// Whether the guest takes an interrupt now, for a PIC in user space (`ready_for_interrupt_injection`).
  public var isReadyForInterrupt: Bool
  /// The guest's interrupt flag (`if_flag`), where the kernel keeps it.
  public var interruptFlag: Bool
  /// Whether the vCPU is in system management mode (KVM_RUN_X86_SMM).
  public var isInSMM: Bool
  /// Whether a nested guest ran (KVM_RUN_X86_GUEST_MODE).
  public var isInGuestMode: Bool
  /// CR8, the task priority's upper half; in use with the local APIC in user space.
  public var cr8: UInt64
  /// The APIC base MSR; in use with the local APIC in user space.
  public var apicBase: APICBase

  /// Sound: the caller holds the page, so the kernel does not write it.
  init(_ page: borrowing RunPage) {
    isReadyForInterrupt = unsafe page.run.pointee.ready_for_interrupt_injection != 0
    interruptFlag = unsafe page.run.pointee.if_flag != 0
    let flags = unsafe page.run.pointee.flags
    isInSMM = flags & UInt16(KVM_RUN_X86_SMM) != 0
    isInGuestMode = flags & UInt16(KVM_RUN_X86_GUEST_MODE) != 0
    cr8 = unsafe page.run.pointee.cr8
    apicBase = APICBase(rawValue: unsafe page.run.pointee.apic_base)
  }
}

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

/// Why an MSR access leaves to user space (KVM API, KVM_CAP_X86_USER_SPACE_MSR).
public struct MSRExitReasons: OptionSet, Hashable, Sendable {
  /// The bits as KVM has them.
  public let rawValue: UInt32

  /// The reasons with those bits.
  public init(rawValue: UInt32) {
    self.rawValue = rawValue
  }

  /// The access would raise #GP: a wrong value or a reserved bit (KVM_MSR_EXIT_REASON_INVAL).
  public static let invalid = MSRExitReasons(rawValue: UInt32(KVM_MSR_EXIT_REASON_INVAL))

  /// KVM does not know the MSR (KVM_MSR_EXIT_REASON_UNKNOWN).
  public static let unknown = MSRExitReasons(rawValue: UInt32(KVM_MSR_EXIT_REASON_UNKNOWN))

  /// The MSR filter denies it (KVM_MSR_EXIT_REASON_FILTER).
  public static let filter = MSRExitReasons(rawValue: UInt32(KVM_MSR_EXIT_REASON_FILTER))
}

/// What user space has to do with what KVM plays of Hyper-V (KVM_EXIT_HYPERV; KVM API, `struct kvm_hyperv_exit`).
public enum HyperVExit: Hashable, Sendable {
  /// A vCPU's synthetic interrupt controller was switched on or off, or its pages moved (KVM_EXIT_HYPERV_SYNIC).
  case synIC(SynICRegisters)
  /// A hypercall that KVM leaves to user space (KVM_EXIT_HYPERV_HCALL).
  case call(HyperVCall)
  /// Something else: 3 is its debugger (KVM_EXIT_HYPERV_SYNDBG).
  case other(type: UInt32)
}

/// A vCPU's synthetic interrupt controller after a write to one of its registers (Hypervisor Top-Level Functional
/// Specification, section 11.8).
public struct SynICRegisters: Hashable, Sendable {
  /// The register that was written.
  public var msr: UInt32
  /// SCONTROL: bit 0 switches the controller on.
  public var control: UInt64
  /// SIEFP: the page of event flags, guest-physical, and in bit 0 whether there is one.
  public var eventPage: UInt64
  /// SIMP: the page of messages, guest-physical, and in bit 0 whether there is one.
  public var messagePage: UInt64

  /// Registers.
  public init(msr: UInt32, control: UInt64, eventPage: UInt64, messagePage: UInt64) {
    self.msr = msr
    self.control = control
    self.eventPage = eventPage
    self.messagePage = messagePage
  }
}

/// A call of a Hyper-V function (Hypervisor Top-Level Functional Specification, section 3).
public struct HyperVCall: Hashable, Sendable {
  /// The call's code in bits 15:0; bit 16 says that the parameters are values rather than addresses.
  public var input: UInt64
  /// RDX and R8: where the parameters lie, guest-physical, or the parameters.
  public var parameters: [UInt64]

  /// A call.
  public init(input: UInt64, parameters: [UInt64]) {
    self.input = input
    self.parameters = parameters
  }

  /// Which function.
  public var code: UInt16 { UInt16(truncatingIfNeeded: input) }
  /// Whether the parameters are in registers.
  public var isFast: Bool { input & 1 << 16 != 0 }
}

extension HyperVExit: CustomStringConvertible {
  /// What it is about.
  public var description: String {
    switch self {
    case .synIC(let registers): "a write to the synthetic interrupt controller's MSR \(hex(registers.msr))"
    case .call(let call): "a hypercall with code \(hex(call.code))"
    case .other(let type): "type \(type)"
    }
  }
}
