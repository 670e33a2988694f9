import APIC
import KVM
import VMM

extension Scenario {
  /// A processor that runs is reset and started again.
  static let ipiStartUp = Scenario(
    "ipi.init-sipi", "INIT and a start-up IPI start a running processor over", vcpus: 2,
    exercises: ["kvm_apic_accept_events", "kvm_vcpu_deliver_sipi_vector", "SDM 3A 10.4.4"]
  ) { test in
    let (sender, target) = (test[vcpu: 0], test[vcpu: 1])
    try test.stimulus {
      try sender.send(.initialize(to: target.destination))
      try sender.send(.startUp(page: 0x08, to: target.destination))
    }
    try test.untilStarted(1, times: 2)
    try target.enableInterrupts()
    try sender.send(.interrupt(0x66, to: target.destination))
    try test.expect(1, of: 0x66, on: 1)
  }

  /// Without an INIT before it a start-up IPI means nothing.
  static let ipiStartUpDropped = Scenario(
    "ipi.sipi-dropped", "A start-up IPI does nothing to a processor that has had no INIT", vcpus: 2,
    exercises: ["kvm_apic_accept_events", "SDM 3A 10.4.3"]
  ) { test in
    let (sender, target) = (test[vcpu: 0], test[vcpu: 1])
    // One by one: the target has seen each before the next, because it answers.
    func sendStartUp() throws {
      try sender.send(.startUp(page: 0x08, to: target.destination))
      _ = try target.readTSC()
    }
    try test.stimulus {
      try sendStartUp()
      try test.check("starts of the agent on vCPU 1", try target.starts(), equals: 1)
      try sender.send(.initialize(to: target.destination))
      try test.untilReset(1)
      try sender.send(.startUp(page: 0x08, to: target.destination))
      try test.untilStarted(1, times: 2)
      try sendStartUp()
    }
    try test.untilStarted(1, times: 2)
  }

  /// Between INIT and the start-up IPI.
  static let ipiInit = Scenario(
    "ipi.init", "INIT stops a running processor, which takes no interrupt until it is started", vcpus: 2,
    exercises: ["kvm_vcpu_reset", "kvm_apic_accept_events", "KVM_GET_MP_STATE", "SDM 3A 10.4.4"],
    needs: [.trait(.disabledAPICsDropIPIs)]
  ) { test in
    let (sender, target) = (test[vcpu: 0], test[vcpu: 1])
    try test.stimulus { try sender.send(.initialize(to: target.destination)) }
    try test.untilReset(1)
    try sender.send(.interrupt(0x67, to: target.destination))
    try test.expectNone(of: 0x67, on: 1, unfenced: "it waits for a start-up IPI")
    try sender.send(.startUp(page: 0x08, to: target.destination))
    try test.untilStarted(1, times: 2)
  }

  /// To a processor that sleeps with interrupts off: only INIT, NMI and SMI reach it.
  static let ipiInitHalted = Scenario(
    "ipi.init-halted", "INIT ends the halt of a processor that holds interrupts off", vcpus: 2,
    exercises: ["kvm_apic_has_pending_init_or_sipi", "kvm_vcpu_has_events", "SDM 2A HLT"]
  ) { test in
    let (sender, target) = (test[vcpu: 0], test[vcpu: 1])
    try target.haltMasked()
    try test.stimulus { try sender.send(.initialize(to: target.destination)) }
    try test.untilReset(1)
    try sender.send(.startUp(page: 0x08, to: target.destination))
    try test.untilStarted(1, times: 2)
    _ = try target.readTSC()
  }

  /// A start-up IPI names the page.
  static let ipiStartUpVector = Scenario(
    "ipi.sipi-vector", "A start-up IPI's vector is the page where the processor starts", vcpus: 2,
    exercises: ["kvm_vcpu_deliver_sipi_vector", "SDM 3A 10.4.4.2"]
  ) { test in
    let (sender, target) = (test[vcpu: 0], test[vcpu: 1])
    // MOV word [0x9100], 0x4c50, with DS at 0 as INIT leaves it; JMP 0x0800:0, to where the agent starts.
    let stub: [UInt8] = [0xc7, 0x06, 0x00, 0x91, 0x50, 0x4c, 0xea, 0x00, 0x00, 0x00, 0x08]
    try test.machine.memory.write(stub, at: 0x9000)
    try test.stimulus {
      try sender.send(.initialize(to: target.destination))
      try sender.send(.startUp(page: 0x09, to: target.destination))
    }
    try test.untilStarted(1, times: 2)
    try test.check("the mark of page 9", try test.machine.memory.load(UInt16.self, at: 0x9100), equals: 0x4c50)
  }

  /// What once ended an INIT.
  static let ipiInitDeassert = Scenario(
    "ipi.init-deassert", "An INIT level de-assert resets nobody", vcpus: 2,
    exercises: ["__apic_accept_irq", "APIC_INT_ASSERT", "SDM 3A 12.6.1"]
  ) { test in
    let (sender, target) = (test[vcpu: 0], test[vcpu: 1])
    let command = InterruptCommand(
      deliveryMode: .initialize, destination: target.destination, isAsserted: false, triggerMode: .level)
    try test.stimulus {
      try sender.send(command)
      try sender.send(.interrupt(0x68, to: target.destination))
    }
    try test.expect(1, of: 0x68, on: 1)
    try test.check("what vCPU 1 does", try test.mpState(of: 1), equals: .runnable)
    try test.check("starts of the agent on vCPU 1", try target.starts(), equals: 1)
  }
}
