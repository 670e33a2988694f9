import APIC
import KVM
import MachineState
import VMM

/// Interrupts in service when the state is taken.
extension Scenario {
  /// One, which holds another off.
  static let snapshotInService = Scenario(
    "snapshot.in-service", "An interrupt in service holds lower ones off after a restore until its EOI",
    exercises: ["kvm_apic_get_state", "kvm_apic_set_state", "apic_find_highest_isr", "apic_update_ppr"]
  ) { test in
    let vcpu = test[vcpu: 0]
    let state = try test.hop(whilePaused: {
      try test.stimulus { try test.put(inService: [0x93], requested: [0x82]) }
    })
    try test.check("the ISR", state.vcpus[0].localAPIC.inService, equals: [0x93])
    try test.check("the processor priority", try vcpu.read(.processorPriority), equals: 0x90)
    try test.expectHeld(0x82, on: 0, by: "0x93 in service")
    try vcpu.endOfInterrupt()
    try test.expect(1, of: 0x82, on: 0)
    try test.check("0x93 is in service", try vcpu.readVectors(.inService).contains(0x93), equals: false)
  }

  /// Two, one inside the other.
  static let snapshotNested = Scenario(
    "snapshot.nested", "Each of two nested interrupts in service holds off its own class after a restore",
    exercises: ["kvm_apic_get_state", "kvm_apic_set_state", "apic_clear_isr", "apic_update_ppr", "SDM 3A 12.8.3"]
  ) { test in
    let vcpu = test[vcpu: 0]
    let state = try test.hop(whilePaused: {
      try test.stimulus { try test.put(inService: [0x53, 0x93], requested: [0x42, 0x54]) }
    })
    try test.check("the ISR", state.vcpus[0].localAPIC.inService, equals: [0x53, 0x93])
    try test.check("the IRR", state.vcpus[0].localAPIC.interruptRequest, equals: [0x42, 0x54])
    try test.expectHeld(0x54, on: 0, by: "0x93 in service")
    try vcpu.endOfInterrupt()
    try test.check("the processor priority after the first EOI", try vcpu.read(.processorPriority), equals: 0x50)
    try test.expectHeld(0x54, on: 0, by: "0x53 in service")
    try vcpu.endOfInterrupt()
    try test.expect(1, of: 0x42, on: 0)
    try test.expect(1, of: 0x54, on: 0)
    let order = try test.takenInOrder(2, of: 0x42, 0x54, on: 0).map(\.vector)
    try test.check("the order", order, equals: [0x54, 0x42])
  }

  /// Two handlers, one inside the other.
  static let snapshotNestedHandlers = Scenario(
    "snapshot.nested-handlers", "Two nested handlers go on after a restore, and what waits comes behind each", vcpus: 2,
    exercises: ["kvm_apic_get_state", "kvm_apic_set_state", "apic_set_isr", "kvm_get_apic_interrupt", "SDM 3A 12.8.4"],
    needs: [.trait(.inService)]
  ) { test in
    let vcpu = test[vcpu: 1]
    for vector in [0x53, 0x93] as [Vector] { try vcpu.handle(vector, [.nests, .holds, .acknowledges]) }
    try test.stimulus { try test.signal(MSIMessage(vector: 0x53, destination: vcpu.destination)) }
    for vector in [0x53, 0x93] as [Vector] {
      if vector != 0x53 { try test.signal(MSIMessage(vector: vector, destination: vcpu.destination)) }
      try test.expectAtLeast(1, of: vector, on: 1)
    }
    for vector in [0x42, 0x54] as [Vector] {
      try test.signal(MSIMessage(vector: vector, destination: vcpu.destination))
    }
    let state = try test.hop()
    try test.check("the ISR", state.vcpus[1].localAPIC.inService, equals: [0x53, 0x93])
    try test.check("the IRR", state.vcpus[1].localAPIC.interruptRequest, equals: [0x42, 0x54])
    for vector in [0x42, 0x54] as [Vector] { try test.expectHeld(vector, on: 1, by: "handlers") }
    try vcpu.openGate()
    for vector in [0x42, 0x53, 0x54, 0x93] as [Vector] { try test.expect(1, of: vector, on: 1) }
    let order = try test.takenInOrder(4, of: 0x42, 0x53, 0x54, 0x93, on: 1).map(\.vector)
    try test.check("the order", order, equals: [0x53, 0x93, 0x54, 0x42])
  }

  /// A handler that runs with interrupts off.
  static let snapshotInHandler = Scenario(
    "snapshot.in-handler", "A handler goes on after a restore, and what came meanwhile is taken behind it", vcpus: 2,
    exercises: ["kvm_apic_get_state", "kvm_apic_set_state", "KVM_SET_REGS", "KVM_SET_LAPIC"]
  ) { test in
    let vcpu = test[vcpu: 1]
    try vcpu.handle(0x93, [.holds, .acknowledges])
    try test.stimulus { try test.signal(MSIMessage(vector: 0x93, destination: vcpu.destination)) }
    try test.expectAtLeast(1, of: 0x93, on: 1)
    for vector in [0x31, 0xa4] as [Vector] {
      try test.signal(MSIMessage(vector: vector, destination: vcpu.destination))
    }
    let state = try test.hop()
    try test.check("the IRR", state.vcpus[1].localAPIC.interruptRequest, equals: [0x31, 0xa4])
    for vector in [0x31, 0xa4] as [Vector] { try test.expectHeld(vector, on: 1, by: "a handler") }
    try vcpu.openGate()
    for vector in [0x31, 0x93, 0xa4] as [Vector] { try test.expect(1, of: vector, on: 1) }
  }
}

extension TestContext {
  /// Puts vectors into the ISR and the IRR of vCPU 0.
  fileprivate func put(inService: VectorSet, requested: VectorSet) throws {
    try machine.withVCPUStopped(0) { vcpu throws(KVMError) in
      var state = try vcpu.localAPIC()
      state.inService = inService
      state.interruptRequest = requested
      try vcpu.setLocalAPIC(state)
    }
  }
}
