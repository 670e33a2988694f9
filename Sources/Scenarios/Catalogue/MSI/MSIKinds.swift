import APIC
import GuestContract
import KVM
import VMM

extension Scenario {
  /// Delivery mode NMI.
  static let msiNMI = Scenario(
    "msi.nmi", "An MSI with delivery mode NMI interrupts a vCPU that holds interrupts off", vcpus: 2,
    exercises: ["__apic_accept_irq", "kvm_inject_nmi", "SDM 3A 12.11.2"]
  ) { test in
    try test[vcpu: 1].disableInterrupts()
    try test.stimulus { try test.signal(.nmi(to: test[vcpu: 1])) }
    try test.expect(1, of: 2, on: 1, unfenced: "its interrupts are off")
    try test.expectNone(of: 2, on: 0)
  }

  /// Delivery mode NMI into HLT.
  static let msiNMIHalted = Scenario(
    "msi.nmi.halted", "An MSI with delivery mode NMI wakes a vCPU that halted with interrupts off", vcpus: 2,
    exercises: ["kvm_inject_nmi", "kvm_vcpu_wake_up", "SDM 3A 12.11.2"]
  ) { test in
    try test[vcpu: 1].disableInterrupts()
    try test[vcpu: 1].haltMasked()
    try test.signal(MSIMessage(vector: 0x71, destination: test[vcpu: 1].destination))
    try test.expectHeld(0x71, on: 1, by: "a HLT with interrupts off")
    try test.stimulus { try test.signal(.nmi(to: test[vcpu: 1])) }
    try test.expect(1, of: 2, on: 1, unfenced: "its interrupts are off")
    try test[vcpu: 1].finishHalt()
    try test.expectHeld(0x71, on: 1, by: "the interrupt flag")
    try test[vcpu: 1].enableInterrupts()
    try test.expect(1, of: 0x71, on: 1)
  }

  /// Delivery mode NMI, to a local APIC that is off.
  static let msiNMIDisabled = Scenario(
    "msi.nmi.disabled", "An NMI reaches a vCPU whose local APIC is software-disabled", vcpus: 2,
    exercises: ["__apic_accept_irq", "SDM 3A 12.4.7.2"]
  ) { test in
    let off = SpuriousInterruptVectorRegister(isSoftwareEnabled: false)
    try test[vcpu: 1].write(.spurious, off.rawValue)
    try test.stimulus { try test.signal(.nmi(to: test[vcpu: 1])) }
    try test.expect(1, of: 2, on: 1, unfenced: "its local APIC is software-disabled")
  }

  /// Delivery mode INIT.
  static let msiINIT = Scenario(
    "msi.init", "An MSI with delivery mode INIT has a vCPU wait for SIPI, which starts it again", vcpus: 2,
    exercises: ["__apic_accept_irq", "kvm_apic_accept_events", "SDM 3A 12.11.2", "SDM 3A 10.4"]
  ) { test in
    let vcpu = test[vcpu: 1]
    let starts = try vcpu.starts()
    try test.stimulus {
      try test.signal(MSIMessage(vector: 0, destination: vcpu.destination, deliveryMode: .initialize))
    }
    try test.until("vCPU 1 waits for SIPI") {
      try test.machine.withVCPUStopped(1) { (vcpu) throws(KVMError) in try vcpu.mpState() } == .initReceived
    }
    try test[vcpu: 0].send(.startUp(page: UInt8(LAPWING_TRAMPOLINE >> 12), to: vcpu.destination))
    try test.until("vCPU 1 starts again") { try vcpu.starts() == starts + 1 }
    try vcpu.enableInterrupts()
    try test.signal(MSIMessage(vector: 0x71, destination: vcpu.destination))
    try test.expect(1, of: 0x71, on: 1)
  }

  /// Trigger mode level.
  static let msiLevel = Scenario(
    "msi.level", "The trigger mode of an MSI is in the TMR, and the next edge clears it", vcpus: 2,
    exercises: ["__apic_accept_irq", "kvm_set_msi_irq", "SDM 3A 12.8.4"]
  ) { test in
    let vcpu = test[vcpu: 1]
    func message(_ vector: Vector, _ trigger: TriggerMode) -> MSIMessage {
      MSIMessage(vector: vector, destination: vcpu.destination, triggerMode: trigger)
    }
    try vcpu.disableInterrupts()
    try test.stimulus { try test.signal(message(0x71, .level)) }
    try test.signal(message(0x72, .edge))
    try test.check("the IRR", try vcpu.readVectors(.interruptRequest), equals: [0x71, 0x72])
    try test.check("the TMR", try vcpu.readVectors(.triggerModes), equals: [0x71])
    try vcpu.enableInterrupts()
    try test.expect(1, of: 0x71, on: 1)
    try test.expect(1, of: 0x72, on: 1)
    try test.signal(message(0x71, .edge))
    try test.expect(2, of: 0x71, on: 1)
    try test.check("the TMR after an edge", try vcpu.readVectors(.triggerModes), equals: [])
  }
}

extension MSIMessage {
  fileprivate static func nmi(to vcpu: AgentVCPU) -> MSIMessage {
    MSIMessage(vector: 0, destination: vcpu.destination, deliveryMode: .nmi)
  }
}
