import APIC
import VMM

extension Scenario {
  /// Two names of one thing.
  static let lapicCR8 = Scenario(
    "lapic.cr8", "CR8 and the TPR are one: what is written to either is read from the other",
    exercises: ["kvm_set_cr8", "kvm_get_cr8", "kvm_lapic_set_tpr", "SDM 3A 12.8.6.1"]
  ) { test in
    let vcpu = test[vcpu: 0]
    try test.stimulus { try vcpu.write(.taskPriority, 0x7f) }
    try test.check("CR8", try vcpu.readCR8(), equals: 7)
    try vcpu.writeCR8(5)
    // A write to CR8 clears the subclass.
    try test.check("the TPR", try vcpu.read(.taskPriority), equals: 0x50)
    try test.check("the TPR by KVM_GET_LAPIC", try test.localAPICState(of: 0).taskPriority, equals: 0x50)
  }

  /// Bits 63:4 of CR8.
  static let lapicCR8Reserved = Scenario(
    "lapic.cr8-reserved", "A value above 15 does not go into CR8: it raises #GP",
    exercises: ["kvm_set_cr8", "SDM 3A 12.8.6.1", "SDM 2B MOV to control registers"],
    needs: [.trait(.reservedCR8Bits)]
  ) { test in
    let vcpu = test[vcpu: 0]
    try vcpu.writeCR8(5)
    var fault: Vector?
    try test.stimulus { fault = try vcpu.faultWritingCR8(16) }
    try test.deciding(.reservedCR8Bits) { try test.check("the exception", fault, equals: 13) }
    try test.check("CR8 after it", try vcpu.readCR8(), equals: 5)
  }

  /// All eight bits.
  static let lapicSubclass = Scenario(
    "lapic.subclass", "The task priority keeps its subclass, and the processor priority has it with nothing in service",
    exercises: ["kvm_lapic_set_tpr", "apic_update_ppr", "SDM 3A 12.8.3.1"], needs: [.trait(.taskPrioritySubclass)]
  ) { test in
    let vcpu = test[vcpu: 0]
    try test.stimulus { try vcpu.write(.taskPriority, 0x83) }
    // Each read leaves the guest and comes back.
    for _ in 1...2 {
      let priority = try vcpu.read(.taskPriority)
      try test.deciding(.taskPrioritySubclass) { try test.check("the TPR", priority, equals: 0x83) }
    }
    try test.check("the PPR", try vcpu.read(.processorPriority), equals: 0x83)
  }

  /// With nothing in service.
  static let lapicPriority = Scenario(
    "lapic.ppr", "With nothing in service the processor priority is the task priority",
    exercises: ["apic_update_ppr", "SDM 3A 12.8.3.1"]
  ) { test in
    let vcpu = test[vcpu: 0]
    var seen: [UInt32] = []
    // Classes alone: AMD's processors keep a guest's task priority as CR8 has it, so KVM loses the subclass there.
    let priorities: [UInt32] = [0x20, 0xf0, 0x10, 0]
    try test.stimulus {
      for priority in priorities {
        try vcpu.write(.taskPriority, priority)
        seen.append(try vcpu.read(.processorPriority))
      }
    }
    try test.check("the PPR", seen, equals: priorities)
  }

  /// The end of service.
  static let lapicEndOfInterrupt = Scenario(
    "lapic.eoi", "An EOI ends the service of the highest interrupt only, and the processor priority follows",
    exercises: ["apic_set_eoi", "apic_clear_isr", "apic_update_ppr", "SDM 3A 12.8.5"], needs: [.trait(.inService)]
  ) { test in
    let vcpu = test[vcpu: 0]
    for vector: Vector in [0x45, 0x67] { try vcpu.handle(vector, []) }
    try test.stimulus {
      for vector: Vector in [0x45, 0x67] {
        try vcpu.send(.toSelf(vector))
        try test.expect(1, of: vector, on: 0, unfenced: "it is in service")
      }
    }
    for (inService, priority): ([Vector], UInt32) in [([0x45, 0x67], 0x60), ([0x45], 0x40), ([], 0)] {
      try test.check("the ISR", try vcpu.readVectors(.inService), equals: VectorSet(inService))
      try test.check("the PPR", try vcpu.read(.processorPriority), equals: priority)
      try vcpu.endOfInterrupt()
    }
  }
}
