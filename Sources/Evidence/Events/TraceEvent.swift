public import APIC

/// One kvm event of a trace (kernel, arch/x86/kvm/trace.h).
public struct TraceEvent: Hashable, Sendable {
  /// When, in the unit of the trace's clock: TSC cycles, or nanoseconds.
  public var time: UInt64
  /// The kernel's id of the thread on which it happened.
  public var thread: Int32
  /// What it says.
  public var detail: Detail

  /// What an event says. Nothing in it is kept elsewhere, so that copying one is cheap: there may be millions.
  public enum Detail: Hashable, Sendable {
    /// A local APIC accepted an interrupt (kvm_apic_accept_irq): that of the vCPU with this id. The mode is nil where it
    /// is the reserved one.
    case accepted(vcpuID: UInt32, vector: Vector, mode: DeliveryMode?)
    /// An interrupt went to the hardware for delivery (kvm_apicv_accept_irq).
    case acceptedByHardware(vcpuID: UInt32, vector: Vector, mode: DeliveryMode?)
    /// Software injects an interrupt at VM entry (kvm_inj_virq), for the thread's vCPU; again after an exit that came
    /// in between. Interrupts of the guest's own making (INT n) are left out.
    case injected(vector: Vector, isReinjected: Bool)
    /// An interrupt's service ended (kvm_eoi, kvm_pv_eoi); nil where none was in service.
    case endOfInterrupt(vcpuID: UInt32, vector: Vector?)
    /// An interrupt command register was written (kvm_apic_ipi), on the sender's thread.
    case ipi(vector: Vector)
    /// A message came (kvm_msi_set_irq).
    case message(vector: Vector)
    /// A line was raised or lowered (kvm_set_irq).
    case line(gsi: UInt32, isHigh: Bool)
    /// An interrupt of this IOAPIC pin was ended (kvm_ack_irq). Those of the PIC are left out.
    case acknowledged(pin: UInt32)
    /// A pin of the IOAPIC was raised (kvm_ioapic_set_irq), and its interrupt, if it is one, accepted before.
    case ioapic(pin: UInt32, vector: Vector, isMasked: Bool, isCoalesced: Bool)
    /// APICv was inhibited, or an inhibit taken back (kvm_apicv_inhibit_changed): an APICV_INHIBIT_REASON_ number, and
    /// the bits of all that hold afterwards.
    case inhibit(isSet: Bool, reason: Int, inhibits: UInt64)
    /// A halted vCPU goes on (kvm_vcpu_wakeup) after so many nanoseconds; it had slept, or was only polled for.
    case wokenUp(hadSlept: Bool, after: UInt64)
    /// The thread's vCPU, which has this id, enters the guest (kvm_entry).
    case entered(vcpuID: UInt32)
    /// The thread's vCPU has left the guest (kvm_exit).
    case exited(reason: ExitReason)
    /// The thread's vCPU read or wrote a model-specific register, and KVM did it for it (kvm_msr).
    case accessed(register: UInt32, isWrite: Bool)
  }

  /// An event.
  public init(time: UInt64, thread: Int32, detail: Detail) {
    self.time = time
    self.thread = thread
    self.detail = detail
  }
}
