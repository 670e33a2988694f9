import APIC

extension Scenario {
  /// To a vCPU inside the guest.
  static let ipiRunning = Scenario(
    "ipi.running", "An IPI interrupts a vCPU that runs", vcpus: 2,
    exercises: ["kvm_irq_delivery_to_apic_fast", "vmx_deliver_posted_interrupt", "SDM 3A 12.6.1"],
    path: .postedOrSoftware
  ) { stage in
    try stage[vcpu: 1].spin(until: 0x52, reaches: 1)
    try stage.stimulus { try stage[vcpu: 0].send(.interrupt(0x52, to: stage[vcpu: 1].destination)) }
    try stage.expect(1, of: 0x52, on: 1)
    try stage.expectNone(of: 0x52, on: 0)
  }

  /// To a vCPU that KVM has put to sleep.
  static let ipiHalted = Scenario(
    "ipi.halted", "An IPI wakes a halted vCPU", vcpus: 2,
    exercises: ["kvm_apic_set_irq", "kvm_vcpu_wake_up", "SDM 3A 12.6.1"]
  ) { stage in
    try stage[vcpu: 1].halt()
    try stage.stimulus { try stage[vcpu: 0].send(.interrupt(0x53, to: stage[vcpu: 1].destination)) }
    try stage.expect(1, of: 0x53, on: 1)
    try stage[vcpu: 1].finishHalt()
  }
}
