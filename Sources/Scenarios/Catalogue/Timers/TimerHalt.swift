import APIC
import KVM

extension Scenario {
  /// A countdown's end in HLT.
  static let timerHalt = Scenario(
    "timer.halt", "A one-shot timer wakes its vCPU from HLT",
    exercises: ["apic_timer_fn", "kvm_vcpu_block", "kvm_apic_has_pending_timer"],
    needs: [.trait(.enteredShadow)]
  ) { stage in
    let vcpu = stage[vcpu: 0]
    try vcpu.setDivide(.by1)
    try vcpu.setTimer(0x61)
    // Held off until the HLT, so that it cannot come before it and leave the vCPU asleep.
    try vcpu.disableInterrupts()
    try stage.stimulus { try vcpu.startTimer(count: 10_000_000) }
    try vcpu.haltUntilWoken()
    try stage.expect(1, of: 0x61, on: 0)
  }

  /// A deadline in HLT.
  static let timerDeadlineHalt = Scenario(
    "timer.deadline.halt", "A TSC deadline wakes its vCPU from HLT",
    exercises: ["kvm_lapic_switch_to_sw_timer", "kvm_vcpu_block", "SDM 3A 12.5.4.1"],
    needs: [.capability(.tscDeadlineTimer), .trait(.enteredShadow)]
  ) { stage in
    let vcpu = stage[vcpu: 0]
    try vcpu.setTimer(0x61, .tscDeadline)
    try vcpu.disableInterrupts()
    let deadline = try vcpu.readTSC() + vcpu.cycles(milliseconds: 10)
    try stage.stimulus { try vcpu.setDeadline(deadline) }
    try vcpu.haltUntilWoken()
    try stage.expect(1, of: 0x61, on: 0)
    try stage.check("the TSC is past the deadline", try vcpu.readTSC() >= deadline)
  }
}
