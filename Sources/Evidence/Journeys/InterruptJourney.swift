public import APIC

/// One interrupt's way from its source into the guest and to its end, as far as it left a trace.
///
/// What is nil was not seen: a local APIC that is virtualized accepts and ends interrupts without KVM, and an irqfd of a
/// line, or the in-kernel PIT, raises its interrupts on a thread of the kernel's own.
public struct InterruptJourney: Hashable, Sendable {
  /// The index of the vCPU that took it.
  public let vcpu: Int
  /// Its vector.
  public let vector: Vector
  /// What it came from.
  public let source: InterruptSource?
  /// When its local APIC accepted it (kvm_apic_accept_irq).
  public let accepted: ContinuousClock.Instant?
  /// How many more of the same vector were accepted before it was delivered, and so are one with it.
  public let coalesced: Int
  /// When it was handed to the hardware: set in the posted-interrupt descriptor (kvm_apicv_accept_irq).
  public let posted: ContinuousClock.Instant?
  /// When its vCPU, which was halted, went on (kvm_vcpu_wakeup).
  public let wokenUp: ContinuousClock.Instant?
  /// When software injected it at VM entry (kvm_inj_virq).
  public let injected: ContinuousClock.Instant?
  /// When the guest's handler wrote it down.
  public let taken: ContinuousClock.Instant
  /// When KVM saw the end of its service (kvm_eoi).
  public let ended: ContinuousClock.Instant?
  /// Whether its vCPU stayed in the guest from its acceptance to its handler, by kvm_entry and kvm_exit; nil where they do
  /// not tell. What was handed to the hardware was posted into the running guest then, or else delivered at a VM entry.
  public let stayedInGuest: Bool?
  /// Why its vCPU left the guest between its acceptance and its handler (kvm_exit); nil where it did not, was outside
  /// already, or nothing tells.
  public let exit: String?
  /// How it got from its local APIC into the guest; nil where nothing tells.
  public let path: DeliveryPath?
}
