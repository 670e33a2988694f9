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

extension Scenario {
  /// The shorthand "self" of the ICR.
  static let ipiSelf = Scenario(
    "ipi.self", "An IPI with the shorthand 'self' interrupts its sender",
    exercises: ["kvm_apic_send_ipi", "SDM 3A 12.6.1"]
  ) { test in
    let vcpu = test[vcpu: 0]
    try test.stimulus { try vcpu.send(.toSelf(0x51)) }
    try test.expect(1, of: 0x51, on: 0)
  }

  /// The register that x2APIC mode has for it.
  static let ipiSelfRegister = Scenario(
    "ipi.self-register", "A vector in SELF_IPI interrupts the processor that writes it, and no other",
    modes: [.x2APIC], vcpus: 2, exercises: ["kvm_apic_send_ipi", "handle_apic_write", "SDM 3A 12.12.11"]
  ) { test in
    try test.stimulus { try test[vcpu: 1].write(.selfIPI, 0x54) }
    try test.expect(1, of: 0x54, on: 1)
    try test.expectNone(of: 0x54, on: 0)
  }
}
