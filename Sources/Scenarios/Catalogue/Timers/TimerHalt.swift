import APIC
import KVM

extension Scenario {
  /// A countdown's end in HLT.
  static let timerHalt = Scenario(
    "timer.halt", "A one-shot timer wakes its vCPU from HLT",
    exercises: ["apic_timer_fn", "kvm_vcpu_block", "kvm_apic_has_pending_timer"],
    needs: [.trait(.enteredShadow)]
  ) { test in
    let vcpu = test[vcpu: 0]
    try vcpu.setDivide(.by1)
    try vcpu.setTimer(0x61)
    // Held off until the HLT, so that it cannot come before it and leave the vCPU asleep.
    try vcpu.disableInterrupts()
    try test.stimulus { try vcpu.startTimer(count: 10_000_000) }
    try vcpu.haltUntilWoken()
    try vcpu.enableInterrupts()
    try test.expect(1, of: 0x61, on: 0)
  }

  /// A deadline in HLT.
  static let timerDeadlineHalt = Scenario(
    "timer.deadline.halt", "A TSC deadline wakes its vCPU from HLT",
    exercises: ["kvm_lapic_switch_to_sw_timer", "kvm_vcpu_block", "SDM 3A 12.5.4.1"],
    needs: [.capability(.tscDeadlineTimer), .trait(.enteredShadow)]
  ) { test in
    let vcpu = test[vcpu: 0]
    try vcpu.setTimer(0x61, .tscDeadline)
    try vcpu.disableInterrupts()
    let deadline = try vcpu.readTSC() + vcpu.cycles(milliseconds: 10)
    try test.stimulus { try vcpu.setDeadline(deadline) }
    try vcpu.haltUntilWoken()
    try vcpu.enableInterrupts()
    try test.expect(1, of: 0x61, on: 0)
    try test.check("the TSC is past the deadline", try vcpu.readTSC() >= deadline)
  }
}
