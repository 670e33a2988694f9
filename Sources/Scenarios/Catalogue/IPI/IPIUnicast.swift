import APIC

extension Scenario {
  /// To a vCPU inside the guest.
  static let ipiRunning = Scenario(
    "ipi.running", "An IPI interrupts a vCPU that runs", vcpus: 2,
    exercises: ["kvm_irq_delivery_to_apic_fast", "vmx_deliver_posted_interrupt", "SDM 3A 12.6.1"],
    path: .postedOrSoftware
  ) { test in
    let times = 20
    try test[vcpu: 1].spin(until: 0x52, reaches: times)
    try test.stimulus { try test.sendToRunning(.interrupt(0x52, to: test[vcpu: 1].destination), from: 0, times: times) }
    try test.expect(times, of: 0x52, on: 1)
    try test.expectNone(of: 0x52, on: 0)
  }

  /// To a vCPU that KVM has put to sleep.
  static let ipiHalted = Scenario(
    "ipi.halted", "An IPI wakes a halted vCPU", vcpus: 2,
    exercises: ["kvm_apic_set_irq", "kvm_vcpu_wake_up", "SDM 3A 12.6.1"]
  ) { test in
    try test[vcpu: 1].halt()
    try test.stimulus { try test[vcpu: 0].send(.interrupt(0x53, to: test[vcpu: 1].destination)) }
    try test.expect(1, of: 0x53, on: 1)
    try test[vcpu: 1].finishHalt()
  }
}
