import APIC
import VMM

extension Scenario {
  /// The order of what waits.
  static let ipiOrder = Scenario(
    "ipi.order", "Interrupts that are pending together are taken in the order of their vectors, the highest first",
    exercises: ["apic_find_highest_irr", "kvm_apic_has_interrupt", "SDM 3A 12.8.3"]
  ) { test in
    let vcpu = test[vcpu: 0]
    let vectors: [Vector] = [0x61, 0xe1, 0x41, 0x62, 0x91]
    try vcpu.disableInterrupts()
    try test.stimulus { for vector in vectors { try vcpu.send(.toSelf(vector)) } }
    try vcpu.enableInterrupts()
    for vector in vectors { try test.expect(1, of: vector, on: 0) }
    try test.check("the order", try test.interrupts(on: 0), equals: [0xe1, 0x91, 0x62, 0x61, 0x41])
  }

  /// The whole IRR.
  static let ipiEveryVector = Scenario(
    "ipi.every-vector", "All vectors from 0x20 to 0xfe can be pending together, and each is taken once, in its order",
    exercises: ["apic_find_highest_irr", "apic_clear_irr", "SDM 3A 12.5.2", "SDM 3A 12.8.4"]
  ) { test in
    let vcpu = test[vcpu: 0]
    let vectors = (UInt8(0x20)...0xfe).map(Vector.init(rawValue:))
    try vcpu.disableInterrupts()
    try test.stimulus { for vector in vectors { try vcpu.send(.toSelf(vector)) } }
    try test.check("the IRR", try vcpu.readVectors(.interruptRequest), equals: VectorSet(vectors))
    try vcpu.enableInterrupts()
    try test.expect(1, of: 0x20, on: 0)
    try test.check("the order", try test.interrupts(on: 0), equals: vectors.reversed())
  }

  /// The IRR has one bit a vector.
  static let ipiCoalesced = Scenario(
    "ipi.coalesced", "IPIs of one vector that are pending together are taken once", vcpus: 2,
    exercises: ["__apic_accept_irq", "kvm_lapic_set_irr", "SDM 3A 12.8.4"]
  ) { test in
    let (sender, target) = (test[vcpu: 0], test[vcpu: 1])
    try target.disableInterrupts()
    try test.stimulus {
      for _ in 0..<3 { try sender.send(.interrupt(0x6c, to: target.destination)) }
      try target.send(.toSelf(0x6c))
      try sender.send(.interrupt(0x6d, to: target.destination))
    }
    try target.enableInterrupts()
    try test.expect(1, of: 0x6c, on: 1)
    try test.expect(1, of: 0x6d, on: 1)
  }

  /// One more is remembered while one is handled.
  static let ipiBehindService = Scenario(
    "ipi.behind-service", "While an interrupt is in service one more of its vector is kept, and no more than one",
    vcpus: 2, exercises: ["__apic_accept_irq", "apic_set_isr", "SDM 3A 12.8.4"], needs: [.trait(.inService)]
  ) { test in
    let (sender, target) = (test[vcpu: 0], test[vcpu: 1])
    try target.handle(0x6e, [.nests, .holds, .acknowledges])
    try test.stimulus { try sender.send(.interrupt(0x6e, to: target.destination)) }
    try test.until("vCPU 1 handles 0x6e") { test.machine.recorded(0x6e, on: 1) == 1 }
    for _ in 0..<3 { try sender.send(.interrupt(0x6e, to: target.destination)) }
    try test.expectHeld(0x6e, on: 1, by: "the one in service")
    try target.openGate()
    try test.expect(2, of: 0x6e, on: 1)
  }

  /// Where an interrupt is before it is taken.
  static let ipiRequested = Scenario(
    "ipi.irr", "A pending IPI is in the IRR, for the guest and for KVM_GET_LAPIC, until it is taken", vcpus: 2,
    exercises: ["kvm_lapic_set_irr", "kvm_apic_get_state", "vmx_sync_pir_to_irr", "SDM 3A 12.8.4"]
  ) { test in
    let (sender, target) = (test[vcpu: 0], test[vcpu: 1])
    try target.disableInterrupts()
    try test.stimulus {
      for vector: Vector in [0x31, 0x6f, 0xfe] { try sender.send(.interrupt(vector, to: target.destination)) }
    }
    let expected = VectorSet([0x31, 0x6f, 0xfe])
    try test.check("the IRR by KVM_GET_LAPIC", try test.localAPICState(of: 1).interruptRequest, equals: expected)
    try test.check("the IRR", try target.readVectors(.interruptRequest), equals: expected)
    try target.enableInterrupts()
    for vector: Vector in [0xfe, 0x6f, 0x31] { try test.expect(1, of: vector, on: 1) }
    let left = try target.readVectors(.interruptRequest)
    try test.check("the IRR when they are taken", left, equals: VectorSet())
  }
}

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
