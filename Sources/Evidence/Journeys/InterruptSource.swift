public import APIC

/// What an interrupt came from, as far as KVM's tracepoints say.
public enum InterruptSource: Hashable, Sendable {
  /// An interrupt command register (kvm_apic_ipi): that of the vCPU with this index, where its thread is known.
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
