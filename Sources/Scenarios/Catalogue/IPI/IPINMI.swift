import APIC
import VMM

extension Scenario {
  /// To a processor that lets interrupts in, and to one that does not.
  static let ipiNMI = Scenario(
    "ipi.nmi", "An NMI sent by IPI is taken with interrupts on and with interrupts off", vcpus: 3,
    exercises: ["kvm_inject_nmi", "APIC_DM_NMI", "SDM 3A 12.6.1", "SDM 3A 7.7"]
  ) { stage in
    try stage[vcpu: 2].disableInterrupts()
    try stage.stimulus {
      for vcpu in [1, 2] { try stage[vcpu: 0].send(.nmi(to: stage[vcpu: vcpu].destination)) }
    }
    for vcpu in [1, 2] { try stage.expect(1, of: 2, on: vcpu) }
    try stage.expectNone(of: 2, on: 0)
  }

  /// To a halted processor.
  static let ipiNMIHalted = Scenario(
    "ipi.nmi-halted", "An NMI wakes a halted processor, with interrupts on and with interrupts off", vcpus: 3,
    exercises: ["kvm_inject_nmi", "kvm_vcpu_has_events", "SDM 2A HLT"]
  ) { stage in
    try stage[vcpu: 1].halt()
    try stage[vcpu: 2].haltMasked()
    try stage.stimulus {
      for vcpu in [1, 2] { try stage[vcpu: 0].send(.nmi(to: stage[vcpu: vcpu].destination)) }
    }
    for vcpu in [1, 2] {
      try stage.expect(1, of: 2, on: vcpu)
      try stage[vcpu: vcpu].finishHalt()
    }
  }

  /// A fixed interrupt does not wake a processor that holds interrupts off.
  static let ipiHaltedMasked = Scenario(
    "ipi.halted-masked", "A fixed IPI leaves a processor halted that holds interrupts off, until an NMI wakes it",
    vcpus: 2, exercises: ["kvm_vcpu_has_events", "kvm_arch_interrupt_allowed", "SDM 2A HLT"]
  ) { stage in
    let sleeper = stage[vcpu: 1]
    // Halting masked does not change what its operation found: interrupts stay off behind it.
    try sleeper.disableInterrupts()
    try sleeper.haltMasked()
    try stage.stimulus { try stage[vcpu: 0].send(.interrupt(0x65, to: sleeper.destination)) }
    try stage.expectNone(of: 0x65, on: 1)
    try stage.check("vCPU 1 still halts", try !sleeper.isIdle())
    try stage[vcpu: 0].send(.nmi(to: sleeper.destination))
    try sleeper.finishHalt()
    try stage.expectNone(of: 0x65, on: 1)
    try sleeper.enableInterrupts()
    try stage.expect(1, of: 0x65, on: 1)
  }

  /// The next NMI waits for IRET.
  static let ipiNMIBlocked = Scenario(
    "ipi.nmi-blocked", "An NMI that comes while one is handled waits until the handler returns", vcpus: 2,
    exercises: ["process_nmi", "kvm_x86_nmi_allowed", "SDM 3A 7.7.1"]
  ) { stage in
    let target = stage[vcpu: 1]
    try target.handle(2, .holds)
    try stage.stimulus { try stage[vcpu: 0].send(.nmi(to: target.destination)) }
    try stage.until("vCPU 1 handles an NMI") { stage.machine.recorded(2, on: 1) == 1 }
    try stage[vcpu: 0].send(.nmi(to: target.destination))
    try stage.expect(1, of: 2, on: 1)
    try target.openGate()
    try stage.expect(2, of: 2, on: 1)
  }
}
