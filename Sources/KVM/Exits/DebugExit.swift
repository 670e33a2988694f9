public import APIC
import CKVM

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
public struct ExitStatus: Hashable, Sendable {
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
