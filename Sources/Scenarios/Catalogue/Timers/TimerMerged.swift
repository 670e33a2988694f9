import APIC
import KVM
import VMM

/// Ticks that their vCPU cannot take.
extension Scenario {
  /// The local APIC has one bit for all of them.
  static let timerMerged = Scenario(
    "timer.periodic.held-off", "Ticks of a periodic timer that are held off are one interrupt, and it goes on",
    exercises: ["apic_timer_fn", "kvm_apic_local_deliver", "kvm_inject_apic_timer_irqs", "SDM 3A 12.8.4"]
  ) { test in
    let vcpu = test[vcpu: 0]
    let period = UInt64(4)
    try vcpu.setDivide(.by1)
    try vcpu.setTimer(0x63, .periodic)
    try vcpu.disableInterrupts()
    try test.stimulus { try vcpu.startTimer(count: UInt32(period * 1_000_000)) }
    try vcpu.untilPast(try vcpu.readTSC() + vcpu.cycles(milliseconds: 6 * period))
    try test.expectHeld(0x63, on: 0, by: "the interrupt flag")
    // Masked, the timer adds none to what waits.
    try vcpu.setTimer(0x63, .periodic, isMasked: true)
    try vcpu.enableInterrupts()
    try test.expect(1, of: 0x63, on: 0)
    try vcpu.setTimer(0x63, .periodic)
    try test.expectAtLeast(3, of: 0x63, on: 0)
    try vcpu.startTimer(count: 0)
  }
}
