public import APIC

/// One kvm event of a trace (kernel, arch/x86/kvm/trace.h).
public struct TraceEvent: Hashable, Sendable {
  /// When, in the unit of the trace's clock: TSC cycles, or nanoseconds.
  public var time: UInt64
  /// The kernel's id of the thread on which it happened.
  public var thread: Int32
  /// The host's processor on which it happened.
  public var processor: Int
  /// The tracepoint's name.
  public var name: String
  /// What it says.
  public var detail: Detail

  /// What an event says.
  public enum Detail: Hashable, Sendable {
    /// A local APIC accepted an interrupt (kvm_apic_accept_irq): that of the vCPU with this id.
    case accepted(vcpuID: UInt32, vector: Vector, mode: String)
    /// An interrupt went to the hardware for delivery (kvm_apicv_accept_irq).
    case acceptedByHardware(vcpuID: UInt32, vector: Vector, mode: String)
    /// Software injects an interrupt at VM entry (kvm_inj_virq), for the thread's vCPU; again after an exit that came
    /// in between.
    case injected(vector: Vector, isReinjected: Bool)
    /// An interrupt's service ended (kvm_eoi, kvm_pv_eoi); nil where none was in service.
    case endOfInterrupt(vcpuID: UInt32, vector: Vector?)
    /// An interrupt command register was written (kvm_apic_ipi), on the sender's thread.
    case ipi(vector: Vector)
    /// A message came (kvm_msi_set_irq).
    case message(destination: UInt64, vector: Vector)
    /// A line was raised or lowered (kvm_set_irq).
    case line(gsi: UInt32, isHigh: Bool)
    /// An interrupt of this IOAPIC pin was ended (kvm_ack_irq).
    case acknowledged(pin: Int)
    /// A pin of the IOAPIC was raised (kvm_ioapic_set_irq), and its interrupt, if it is one, accepted before.
    case ioapic(pin: Int, vector: Vector, isMasked: Bool, isCoalesced: Bool)
    /// APICv was inhibited, or an inhibit taken back (kvm_apicv_inhibit_changed): an APICV_INHIBIT_REASON_ number, and
    /// the bits of all that hold afterwards.
    case inhibit(isSet: Bool, reason: Int, inhibits: UInt64)
    /// A halted vCPU goes on (kvm_vcpu_wakeup); it had slept, or was only polled for.
    case wokenUp(hadSlept: Bool)
    /// The thread's vCPU enters the guest (kvm_entry).
    case entered
    /// The thread's vCPU has left the guest (kvm_exit), for the reason that the kernel names, such as
    /// `EXTERNAL_INTERRUPT`.
    case exited(reason: String)
    /// Another of the events that are recorded, as text.
    case other(String)
  }
}
