import APIC
import Evidence

extension TraceEvent {
  /// The event by its tracepoint, as in `kvm_apic_accept_irq: vCPU 0, vector 0x40, fixed`.
  var text: String {
    switch detail {
    case .accepted(let vcpu, let vector, let mode):
      "kvm_apic_accept_irq: vCPU \(vcpu), vector \(vector), \(Self.name(mode))"
    case .acceptedByHardware(let vcpu, let vector, let mode):
      "kvm_apicv_accept_irq: vCPU \(vcpu), vector \(vector), \(Self.name(mode))"
    case .injected(let vector, let isReinjected): "kvm_inj_virq: vector \(vector)\(isReinjected ? ", again" : "")"
    case .endOfInterrupt(let vcpu, let vector):
      "kvm_eoi: vCPU \(vcpu), \(vector.map { "vector \($0)" } ?? "nothing in service")"
    case .ipi(let vector): "kvm_apic_ipi: vector \(vector)"
    case .message(let vector): "kvm_msi_set_irq: vector \(vector)"
    case .line(let gsi, let isHigh): "kvm_set_irq: GSI \(gsi) \(isHigh ? "high" : "low")"
    case .acknowledged(let pin): "kvm_ack_irq: pin \(pin)"
    case .ioapic(let pin, let vector, let isMasked, let isCoalesced):
      "kvm_ioapic_set_irq: pin \(pin), vector \(vector)\(isMasked ? ", masked" : "")\(isCoalesced ? ", coalesced" : "")"
    case .inhibit(let isSet, let reason, let inhibits):
      "kvm_apicv_inhibit_changed: reason \(reason) \(isSet ? "set" : "cleared"), now \(String(inhibits, radix: 16))"
    case .wokenUp(let hadSlept, let after): "kvm_vcpu_wakeup: after \(after) ns\(hadSlept ? ", asleep" : "")"
    case .entered(let vcpu): "kvm_entry: vCPU \(vcpu)"
    case .exited(let reason): "kvm_exit: reason \(reason.number)"
    case .accessed(let register, let isWrite):
      "kvm_msr: \(isWrite ? "write" : "read") of 0x\(String(register, radix: 16))"
    }
  }

  private static func name(_ mode: DeliveryMode?) -> String { mode.map { "\($0)" } ?? "reserved" }
}
