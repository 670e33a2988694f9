import APIC
import VMM

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
