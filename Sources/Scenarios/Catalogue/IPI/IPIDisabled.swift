import APIC

extension Scenario {
  /// To a local APIC that software has switched off.
  static let ipiSoftwareDisabled = Scenario(
    "ipi.software-disabled", "A software-disabled local APIC drops fixed IPIs and takes NMIs", vcpus: 2,
    exercises: ["__apic_accept_irq", "apic_enabled", "SDM 3A 12.4.7.2"],
    needs: [.trait(.disabledAPICsDropIPIs)]
  ) { test in
    let (sender, target) = (test[vcpu: 0], test[vcpu: 1])
    try target.write(.spurious, SpuriousInterruptVectorRegister(isSoftwareEnabled: false).rawValue)
    try test.stimulus {
      try sender.send(.interrupt(0x68, to: target.destination))
      try sender.send(.nmi(to: target.destination))
    }
    try test.expect(1, of: 2, on: 1, unfenced: "its local APIC is software-disabled")
    try target.write(.spurious, SpuriousInterruptVectorRegister().rawValue)
    try sender.send(.interrupt(0x69, to: target.destination))
    try test.expect(1, of: 0x69, on: 1)
    try test.deciding(.disabledAPICsDropIPIs) { try test.expectNone(of: 0x68, on: 1) }
  }

  /// To a local APIC that IA32_APIC_BASE has switched off.
  static let ipiHardwareDisabled = Scenario(
    "ipi.hardware-disabled", "No IPI reaches a local APIC that IA32_APIC_BASE has switched off", vcpus: 2,
    exercises: ["kvm_apic_set_base", "kvm_recalculate_apic_map", "kvm_apic_present", "SDM 3A 12.4.3"],
    needs: [.trait(.disabledAPICsDropIPIs)]
  ) { test in
    let (sender, target) = (test[vcpu: 0], test[vcpu: 1])
    try target.writeMSR(MSR.apicBase, APICBase(mode: .disabled).rawValue)
    try sender.send(.interrupt(0x6a, to: target.destination))
    // By way of xAPIC mode, the only way to x2APIC mode.
    try target.writeMSR(MSR.apicBase, APICBase(mode: .xAPIC).rawValue)
    if test.mode == .x2APIC { try target.writeMSR(MSR.apicBase, APICBase(mode: .x2APIC).rawValue) }
    try target.write(.spurious, SpuriousInterruptVectorRegister().rawValue)
    try test.stimulus { try sender.send(.interrupt(0x6b, to: target.destination)) }
    try test.expect(1, of: 0x6b, on: 1)
    try test.expectNone(of: 0x6a, on: 1)
  }

  /// To an id that is nobody's.
  static let ipiAbsent = Scenario(
    "ipi.absent", "An IPI to an id that no processor has reaches nobody and harms nothing", vcpus: 2,
    exercises: ["kvm_irq_delivery_to_apic_fast", "kvm_apic_match_dest", "SDM 3A 12.6.1"]
  ) { test in
    let (sender, target) = (test[vcpu: 0], test[vcpu: 1])
    try test.stimulus {
      try sender.send(.interrupt(0x6b, to: .physical(77)))
      try sender.send(.nmi(to: .physical(78)))
      try sender.send(.initialize(to: .physical(79)))
      try sender.send(.interrupt(0x6c, to: target.destination))
    }
    try test.expect(1, of: 0x6c, on: 1)
    for vcpu in test.vcpus {
      for vector: Vector in [0x6b, 2] { try test.expectNone(of: vector, on: vcpu.index) }
      try test.check("starts of the agent on vCPU \(vcpu.index)", try vcpu.starts(), equals: 1)
    }
  }
}
