import APIC
import VMM

extension Scenario {
  /// To a processor that lets interrupts in, and to one that does not.
  static let ipiNMI = Scenario(
    "ipi.nmi", "An NMI sent by IPI is taken with interrupts on and with interrupts off", vcpus: 3,
    exercises: ["kvm_inject_nmi", "APIC_DM_NMI", "SDM 3A 12.6.1", "SDM 3A 7.7"]
  ) { test in
    try test[vcpu: 2].disableInterrupts()
    try test.stimulus {
      for vcpu in [1, 2] { try test[vcpu: 0].send(.nmi(to: test[vcpu: vcpu].destination)) }
    }
    try test.expect(1, of: 2, on: 1)
    try test.expect(1, of: 2, on: 2, unfenced: "its interrupts are off")
    try test.expectNone(of: 2, on: 0)
  }

  /// To a halted processor.
  static let ipiNMIHalted = Scenario(
    "ipi.nmi-halted", "An NMI wakes a halted processor, with interrupts on and with interrupts off", vcpus: 3,
    exercises: ["kvm_inject_nmi", "kvm_vcpu_has_events", "SDM 2A HLT"]
  ) { test in
    try test[vcpu: 1].halt()
    try test[vcpu: 2].haltMasked()
    try test.stimulus {
      for vcpu in [1, 2] { try test[vcpu: 0].send(.nmi(to: test[vcpu: vcpu].destination)) }
    }
    for vcpu in [1, 2] {
      try test.expect(1, of: 2, on: vcpu)
      try test[vcpu: vcpu].finishHalt()
    }
  }

  /// A fixed interrupt does not wake a processor that holds interrupts off.
  static let ipiHaltedMasked = Scenario(
    "ipi.halted-masked", "A fixed IPI leaves a processor halted that holds interrupts off, until an NMI wakes it",
    vcpus: 2, exercises: ["kvm_vcpu_has_events", "kvm_arch_interrupt_allowed", "SDM 2A HLT"]
  ) { test in
    let sleeper = test[vcpu: 1]
    // Halting masked does not change what its operation found: interrupts stay off behind it.
    try sleeper.disableInterrupts()
    try sleeper.haltMasked()
    try test.stimulus { try test[vcpu: 0].send(.interrupt(0x65, to: sleeper.destination)) }
    try test.expectHeld(0x65, on: 1, by: "a HLT with interrupts off")
    try test.check("vCPU 1 still halts", try !sleeper.isIdle())
    try test[vcpu: 0].send(.nmi(to: sleeper.destination))
    try sleeper.finishHalt()
    try test.expectHeld(0x65, on: 1, by: "the interrupt flag")
    try sleeper.enableInterrupts()
    try test.expect(1, of: 0x65, on: 1)
  }

  /// The next NMI waits for IRET.
  static let ipiNMIBlocked = Scenario(
    "ipi.nmi-blocked", "An NMI that comes while one is handled waits until the handler returns", vcpus: 2,
    exercises: ["process_nmi", "kvm_x86_nmi_allowed", "SDM 3A 7.7.1"]
  ) { test in
    let target = test[vcpu: 1]
    try target.handle(2, .holds)
    try test.stimulus { try test[vcpu: 0].send(.nmi(to: target.destination)) }
    try test.until("vCPU 1 handles an NMI") { test.machine.recorded(2, on: 1) == 1 }
    try test[vcpu: 0].send(.nmi(to: target.destination))
    try test.expectHeld(2, on: 1, by: "the handler of the first")
    try target.openGate()
    try test.expect(2, of: 2, on: 1)
  }
}

extension Scenario {
  /// By shorthand.
  static let ipiNMIOthers = Scenario(
    "ipi.nmi-others", "An NMI to all excluding self reaches every processor but its sender", vcpus: 3,
    exercises: ["kvm_irq_delivery_to_apic", "APIC_DM_NMI", "SDM 3A 12.6.1"]
  ) { test in
    try test.stimulus {
      try test[vcpu: 0].send(InterruptCommand(deliveryMode: .nmi, shorthand: .allExcludingSelf))
    }
    for vcpu in [1, 2] { try test.expect(1, of: 2, on: vcpu) }
    try test.expectNone(of: 2, on: 0)
  }

  /// Beside the priorities.
  static let ipiNMIPriority = Scenario(
    "ipi.nmi-tpr", "The highest task priority holds back every fixed IPI and no NMI", vcpus: 2,
    exercises: ["apic_update_ppr", "kvm_inject_nmi", "SDM 3A 12.8.3.1"]
  ) { test in
    let (sender, target) = (test[vcpu: 0], test[vcpu: 1])
    try target.write(.taskPriority, UInt32(Priority(class: 15).rawValue))
    try test.stimulus {
      try sender.send(.interrupt(0xfe, to: target.destination))
      try sender.send(.nmi(to: target.destination))
    }
    try test.expect(1, of: 2, on: 1, unfenced: "its task priority is the highest")
    try test.expectHeld(0xfe, on: 1, by: "the task priority")
    try target.write(.taskPriority, 0)
    try test.expect(1, of: 0xfe, on: 1)
  }
}
