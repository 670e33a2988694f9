import APIC

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
