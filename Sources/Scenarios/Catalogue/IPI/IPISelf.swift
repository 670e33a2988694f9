import APIC

extension Scenario {
  /// The shorthand "self" of the ICR.
  static let ipiSelf = Scenario(
    "ipi.self", "An IPI with the shorthand 'self' interrupts its sender",
    exercises: ["kvm_apic_send_ipi", "SDM 3A 12.6.1"]
  ) { stage in
    let vcpu = stage[vcpu: 0]
    try stage.stimulus { try vcpu.send(.toSelf(0x51)) }
    try stage.expect(1, of: 0x51, on: 0)
  }
}
