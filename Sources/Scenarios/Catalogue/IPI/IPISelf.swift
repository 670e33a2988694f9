import APIC

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
