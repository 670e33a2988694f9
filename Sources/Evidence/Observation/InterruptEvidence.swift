public import APIC

/// How the interrupts of one vector got into one vCPU, and how that is known.
public struct InterruptEvidence: Hashable, Sendable {
  /// The vCPU's index.
  public let vcpu: Int
  /// The vector.
  public let vector: Vector
  /// How often the guest took it.
  public let taken: Int
  /// How often a local APIC accepted it (kvm_apic_accept_irq); nil without a trace.
  public let accepted: Int?
  /// How often it went to the hardware for delivery (kvm_apicv_accept_irq); nil without a trace.
  public let acceptedByHardware: Int?
  /// How often software injected it (kvm_inj_virq); nil without a trace. Some back ends do not say so.
  public let injected: Int?
  /// The way it went; nil where the evidence does not tell.
  public let path: DeliveryPath?
  /// The way for a verdict: by counters alone where this kernel counts injections, so that recording changes no verdict.
  public let verdictPath: DeliveryPath?
  /// What that rests on, in words.
  public let basis: String
  /// How often the vCPU was woken from HLT meanwhile; nil where this kernel does not count it.
  public let wakeups: UInt64?
}
