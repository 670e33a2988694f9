public import APIC

/// Why the guest stopped and user space has the word (KVM API, section 5, `exit_reason`).
public enum Exit: Hashable, Sendable {
  /// The guest accesses an I/O port (KVM_EXIT_IO).
  case io(PortAccess)
  /// The guest accesses an address without memory (KVM_EXIT_MMIO).
  case mmio(MMIOAccess)
  /// The guest halts and no in-kernel local APIC wakes it (KVM_EXIT_HLT).
  case halt
  /// The guest can take an interrupt from a PIC in user space (KVM_EXIT_IRQ_WINDOW_OPEN).
  case irqWindowOpen
  /// A triple fault (KVM_EXIT_SHUTDOWN).
  case shutdown
  /// The guest or KVM wants the machine stopped (KVM_EXIT_SYSTEM_EVENT).
  case systemEvent(SystemEvent)
  /// EOI of a level-triggered interrupt that an IOAPIC in user space sent (KVM_EXIT_IOAPIC_EOI).
  case ioapicEOI(Vector)
  /// An instruction accesses the TPR while that is reported (KVM_EXIT_TPR_ACCESS).
  case tprAccess(TPRAccess)
  /// The guest changed CR8, with the local APIC in user space (KVM_EXIT_SET_TPR).
  case setTPR
  /// The guest reads an MSR that KVM leaves to user space (KVM_EXIT_X86_RDMSR).
  case readMSR(MSRAccess)
  /// The guest writes an MSR that KVM leaves to user space (KVM_EXIT_X86_WRMSR).
  case writeMSR(MSRAccess)
  /// The guest calls a hypervisor function that KVM leaves to user space (KVM_EXIT_HYPERCALL).
  case hypercall(Hypercall)
  /// The guest uses what KVM plays of Hyper-V, and user space has a part in it (KVM_EXIT_HYPERV).
  case hyperV(HyperVExit)
  /// A step or a breakpoint (KVM_EXIT_DEBUG).
  case debug(DebugExit)
  /// An exception that KVM does not deliver (KVM_EXIT_EXCEPTION).
  case exception(vector: Vector, errorCode: UInt32)
  /// A non-maskable interrupt of the host (KVM_EXIT_NMI).
  case nmi
  /// A bus lock (KVM_EXIT_X86_BUS_LOCK).
  case busLock
  /// The guest kept interrupts out for too long (KVM_EXIT_NOTIFY); its state may be invalid.
  case notify(contextIsInvalid: Bool)
  /// Guest memory could not be used (KVM_EXIT_MEMORY_FAULT).
  case memoryFault(MemoryFault)
  /// The ring of dirty pages is full (KVM_EXIT_DIRTY_RING_FULL).
  case dirtyRingFull
  /// The processor refused to enter the guest (KVM_EXIT_FAIL_ENTRY).
  case failEntry(FailedEntry)
  /// KVM cannot go on with the guest (KVM_EXIT_INTERNAL_ERROR).
  case internalError(InternalError)
  /// A signal or an exit request ended KVM_RUN (EINTR, KVM_EXIT_INTR).
  case interrupted
  /// The vCPU waits for INIT or SIPI and was brought out of that (EAGAIN): run it again.
  case uninitialized
  /// A reason that this library does not know, with what the hardware said (KVM_EXIT_UNKNOWN and newer ones).
  case unknown(reason: UInt32, hardwareReason: UInt64)
}
