import APIC

extension Scenario {
  /// The shorthand "all including self".
  static let ipiAll = Scenario(
    "ipi.all-including-self", "An IPI to all including self interrupts every processor once", vcpus: 3,
    exercises: ["kvm_irq_delivery_to_apic", "kvm_apic_match_dest", "SDM 3A 12.6.1"]
  ) { test in
    try test.stimulus {
      try test[vcpu: 1].send(InterruptCommand(vector: 0x55, shorthand: .allIncludingSelf))
    }
    for vcpu in 0..<3 { try test.expect(1, of: 0x55, on: vcpu) }
  }

  /// The shorthand "all excluding self".
  static let ipiOthers = Scenario(
    "ipi.all-excluding-self", "An IPI to all excluding self interrupts every processor but its sender", vcpus: 3,
    exercises: ["kvm_irq_delivery_to_apic", "kvm_apic_match_dest", "SDM 3A 12.6.1"]
  ) { test in
    try test.stimulus {
      try test[vcpu: 1].send(InterruptCommand(vector: 0x56, shorthand: .allExcludingSelf))
    }
    for vcpu in [0, 2] { try test.expect(1, of: 0x56, on: vcpu) }
    try test.expectNone(of: 0x56, on: 1)
  }

  /// The broadcast id of the mode, as a physical destination.
  static let ipiBroadcast = Scenario(
    "ipi.broadcast", "An IPI to the broadcast id interrupts every processor, its sender too", vcpus: 3,
    exercises: ["kvm_apic_broadcast", "SDM 3A 12.6.2.1", "SDM 3A 12.12.9"]
  ) { test in
    let everyone: Destination = test.mode == .x2APIC ? .x2APICBroadcast : .xAPICBroadcast
    try test.stimulus { try test[vcpu: 0].send(.interrupt(0x57, to: everyone)) }
    for vcpu in 0..<3 { try test.expect(1, of: 0x57, on: vcpu) }
  }
}
