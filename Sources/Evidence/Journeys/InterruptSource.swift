public import APIC

/// What an interrupt came from, as far as KVM's tracepoints say.
public enum InterruptSource: Hashable, Sendable {
  /// An interrupt command register (kvm_apic_ipi): that of the vCPU with this index, where its thread is known. One whose
  /// processor carried the command out (IPI virtualization) is known by what the vCPU was told to do.
  case ipi(vcpu: Int?)
  /// A message: KVM_SIGNAL_MSI, or an irqfd by way of a route (kvm_msi_set_irq).
  case message
  /// A line that was raised, by its GSI (kvm_set_irq).
  case line(gsi: UInt32)
  /// A level-triggered line into this pin of the in-kernel IOAPIC, which was still high at the EOI of the interrupt before
  /// (kvm_ack_irq).
  case heldLine(pin: Int)
  /// The local APIC itself, which is concluded: nothing else was seen on the vCPU's own thread. Its timer, or another entry of
  /// the local vector table: the one that has this vector, where one had it in the end.
  case localAPIC(LocalVector?)
}

extension InterruptSource {
  /// What an interrupt came from that a local APIC accepted; nil where nothing tells. What nothing raised there is the local
  /// APIC's own, where it is that of the thread's vCPU.
  ///
  /// - Parameters:
  ///   - origin: what raised it on the thread on which it was accepted.
  ///   - runner: the index of the vCPU that this thread runs; nil where it runs none.
  ///   - vcpu: that of the vCPU that it was for.
  ///   - localVector: the entry of its local vector table that has the interrupt's vector.
  init?(_ origin: Acceptance.Origin, on runner: Int?, for vcpu: Int, localVector: LocalVector?) {
    switch origin {
    case .ipi: self = .ipi(vcpu: runner)
    case .message: self = .message
    case .line(let gsi): self = .line(gsi: gsi)
    case .heldLine(let pin): self = .heldLine(pin: Int(pin))
    case .unseen:
      guard runner == vcpu else { return nil }
      self = .localAPIC(localVector)
    }
  }
}
