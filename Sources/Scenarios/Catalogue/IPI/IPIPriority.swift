import APIC
import VMM

extension Scenario {
  /// The task priority, by its register.
  static let ipiTaskPriority = Scenario(
    "ipi.tpr", "The TPR holds back interrupts of its class and below, until it is lowered",
    exercises: ["apic_set_tpr", "apic_update_ppr", "kvm_apic_has_interrupt", "SDM 3A 12.8.3.1"]
  ) { test in
    let vcpu = test[vcpu: 0]
    try vcpu.write(.taskPriority, UInt32(Priority(class: 5).rawValue))
    try test.stimulus { for vector: Vector in [0x4f, 0x5f, 0x60] { try vcpu.send(.toSelf(vector)) } }
    try checkPriorityMasking(test) { try vcpu.write(.taskPriority, $0) }
  }

  /// The task priority, by CR8.
  static let ipiCR8 = Scenario(
    "ipi.cr8", "CR8 holds back interrupts of its class and below, until it is lowered",
    exercises: ["kvm_set_cr8", "update_cr8_intercept", "apic_update_ppr", "SDM 3A 12.8.6.1"]
  ) { test in
    let vcpu = test[vcpu: 0]
    try vcpu.writeCR8(5)
    try test.stimulus { for vector: Vector in [0x4f, 0x5f, 0x60] { try vcpu.send(.toSelf(vector)) } }
    try checkPriorityMasking(test) { try vcpu.writeCR8(UInt64($0 >> 4)) }
  }

  /// With class 5 held back: 0x60 comes at once, 0x5f once the priority falls to 4, 0x4f at 0.
  private static func checkPriorityMasking(_ test: TestContext, set: (UInt32) throws -> Void) throws {
    try test.expect(1, of: 0x60, on: 0, unfenced: "its task priority is 5")
    for vector: Vector in [0x5f, 0x4f] { try test.expectHeld(vector, on: 0, by: "task priority 5") }
    let pending = try test[vcpu: 0].readVectors(.interruptRequest)
    try test.check("the IRR has what is held back", pending, equals: VectorSet([0x4f, 0x5f]))
    try set(0x40)
    try test.expect(1, of: 0x5f, on: 0, unfenced: "its task priority is 4")
    try test.expectHeld(0x4f, on: 0, by: "task priority 4")
    try set(0)
    try test.expect(1, of: 0x4f, on: 0)
  }

  /// The interrupt in service.
  static let ipiInService = Scenario(
    "ipi.in-service", "An interrupt in service holds back its own class and lets in a higher one",
    exercises: ["apic_update_ppr", "apic_find_highest_isr", "SDM 3A 12.8.3.1"], needs: [.trait(.inService)]
  ) { test in
    let vcpu = test[vcpu: 0]
    try vcpu.handle(0x72, [.notesPriority, .nests, .holds, .acknowledges])
    try vcpu.disableInterrupts()
    try test.stimulus { for vector: Vector in [0x72, 0x71] { try vcpu.send(.toSelf(vector)) } }
    try vcpu.beginEnablingInterrupts()
    try test.until("vCPU 0 handles 0x72") { test.machine.recorded(0x72, on: 0) == 1 }
    for vector: Vector in [0x7f, 0x81] {
      try test.signal(MSIMessage(vector: vector, destination: vcpu.destination))
    }
    try test.expect(1, of: 0x81, on: 0, unfenced: "0x72 is in service")
    for vector: Vector in [0x71, 0x7f] { try test.expectHeld(vector, on: 0, by: "0x72 in service") }
    try vcpu.openGate()
    try test.expect(1, of: 0x7f, on: 0)
    try test.expect(1, of: 0x71, on: 0)
    let priorities = try test.figures(named: "processor priority", on: 0)
    try test.check("the processor priority in the handler of 0x72", priorities, equals: [0x70])
  }

  /// Handlers within handlers.
  static let ipiNested = Scenario(
    "ipi.nested", "Handlers that let interrupts in are interrupted by higher classes only", vcpus: 2,
    exercises: ["apic_update_ppr", "apic_set_isr", "apic_clear_isr", "SDM 3A 12.8.4"], needs: [.trait(.inService)]
  ) { test in
    let (sender, target) = (test[vcpu: 0], test[vcpu: 1])
    let rising: [Vector] = [0x42, 0x62, 0x82]
    for vector in rising { try target.handle(vector, [.nests, .holds, .acknowledges]) }
    try test.stimulus {
      for (index, vector) in rising.enumerated() {
        try sender.send(.interrupt(vector, to: target.destination))
        try test.expect(1, of: vector, on: 1, unfenced: "\(vector) is in service")
        // The class below, which what is in service holds back.
        let lower = Vector(rawValue: vector.rawValue - 0x10 + UInt8(index))
        try sender.send(.interrupt(lower, to: target.destination))
        try test.expectHeld(lower, on: 1, by: "\(vector) in service")
      }
    }
    try target.openGate()
    for vector: Vector in [0x32, 0x53, 0x74] { try test.expect(1, of: vector, on: 1) }
    try test.check("the order", try test.interrupts(on: 1), equals: [0x42, 0x62, 0x82, 0x74, 0x53, 0x32])
  }
}

extension Scenario {
  /// Everybody at once.
  static let ipiStorm = Scenario(
    "ipi.storm", "In a storm of IPIs between all processors nothing is lost", vcpus: 4,
    exercises: ["kvm_irq_delivery_to_apic", "vmx_deliver_posted_interrupt", "kvm_make_request", "kvm_vcpu_kick"],
    // Each vCPU sends too, and a write to the ICR is an exit: none of them stays in the guest throughout.
    path: .virtualDeliveryOrSoftware
  ) { test in
    let times = 20
    // A vector a sender, so that none falls together with another's.
    func vector(_ sender: AgentVCPU) -> Vector { Vector(rawValue: UInt8(0x70 + 0x10 * sender.index)) }
    try test.stimulus {
      for sender in test.vcpus {
        let command = InterruptCommand(vector: vector(sender), shorthand: .allExcludingSelf)
        try sender.beginVolley(command, times: times, receivers: 3)
      }
      for sender in test.vcpus {
        try test.check("what vCPU \(sender.index) sent and saw arrive", try sender.finishVolley(), equals: times)
      }
    }
    for sender in test.vcpus {
      for receiver in test.vcpus where receiver.index != sender.index {
        try test.expect(times, of: vector(sender), on: receiver.index)
      }
    }
  }

  /// In and out of HLT.
  static let ipiWakeStorm = Scenario(
    "ipi.wake-storm", "IPIs that wake a processor from HLT again and again are all taken", vcpus: 2,
    exercises: ["kvm_vcpu_wake_up", "kvm_vcpu_halt", "kvm_arch_vcpu_runnable"],
    needs: [.trait(.enteredShadow)]
  ) { test in
    let times = 25
    // Interrupts come in with HLT, not before it: none is taken too early to wake anybody.
    try test[vcpu: 1].disableInterrupts()
    try test.stimulus {
      for count in 1...times {
        try test[vcpu: 1].beginHalting()
        try test[vcpu: 0].send(.interrupt(0x73, to: test[vcpu: 1].destination))
        try test.until("vCPU 1 is woken \(count) times") { test.machine.recorded(0x73, on: 1) == count }
        try test[vcpu: 1].finishHalt()
      }
    }
    try test[vcpu: 1].enableInterrupts()
    try test.expect(times, of: 0x73, on: 1)
  }
}
