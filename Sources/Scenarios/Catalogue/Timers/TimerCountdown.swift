import APIC
import KVM
import VMM

extension Scenario {
  /// One interrupt, and no second.
  static let timerOneShot = Scenario(
    "timer.one-shot", "A one-shot timer fires once",
    exercises: ["start_apic_timer", "apic_timer_fn", "SDM 3A 12.5.4"]
  ) { test in
    let vcpu = test[vcpu: 0]
    try vcpu.setDivide(.by1)
    try vcpu.setTimer(0x61)
    try test.stimulus { try vcpu.startTimer(count: 1_000_000) }
    try test.expect(1, of: 0x61, on: 0)
    try vcpu.untilPast(try vcpu.readTSC() + vcpu.cycles(milliseconds: 3))
    try test.expect(1, of: 0x61, on: 0)
  }

  /// Again and again, never early.
  static let timerPeriodic = Scenario(
    "timer.periodic", "A periodic timer goes on, and no period is short",
    exercises: ["apic_timer_fn", "advance_periodic_target_expiration", "SDM 3A 12.5.4"]
  ) { test in
    let vcpu = test[vcpu: 0]
    let period = UInt64(4)
    try vcpu.setDivide(.by1)
    try vcpu.setTimer(0x62, .periodic)
    let start = try vcpu.readTSC()
    try test.stimulus { try vcpu.startTimer(count: UInt32(period * 1_000_000)) }
    let moments = try test.moments(of: 0x62, on: 0, atLeast: 5)
    try vcpu.startTimer(count: 0)
    try test.checkTicksNotEarly(moments, from: start, period: vcpu.cycles(milliseconds: period))
  }

  /// An initial count of 0.
  static let timerStopped = Scenario(
    "timer.stopped", "An initial count of 0 stops a periodic timer",
    exercises: ["cancel_apic_timer", "SDM 3A 12.5.4"]
  ) { test in
    let vcpu = test[vcpu: 0]
    try vcpu.setDivide(.by1)
    try vcpu.setTimer(0x61, .periodic)
    try vcpu.startTimer(count: 4_000_000)
    try test.until("it has fired twice") { test.machine.recorded(0x61, on: 0) >= 2 }
    try test.stimulus { try vcpu.startTimer(count: 0) }
    try test.fence(0)
    let taken = test.machine.recorded(0x61, on: 0)
    try vcpu.untilPast(try vcpu.readTSC() + vcpu.cycles(milliseconds: 14))
    try test.fence(0)
    try test.check("interrupts", test.machine.recorded(0x61, on: 0), equals: taken)
    try test.check("the current count", try vcpu.read(.currentCount), equals: 0)
  }

  /// A timer a vCPU.
  static let timerIndependent = Scenario(
    "timer.independent", "Each vCPU has a timer of its own", vcpus: 2,
    exercises: ["kvm_create_lapic", "apic_timer_fn", "SDM 3A 12.5.4"]
  ) { test in
    let (first, second) = (test[vcpu: 0], test[vcpu: 1])
    for (vcpu, vector) in [(first, 0x61), (second, 0x62)] as [(AgentVCPU, Vector)] {
      try vcpu.setDivide(.by1)
      try vcpu.setTimer(vector, .periodic)
    }
    try first.startTimer(count: 4_000_000)
    try test.stimulus { try second.startTimer(count: 5_000_000) }
    try test.until("both have fired twice") {
      test.machine.recorded(0x61, on: 0) >= 2 && test.machine.recorded(0x62, on: 1) >= 2
    }
    try first.startTimer(count: 0)
    let taken = test.machine.recorded(0x62, on: 1)
    try test.until("the second goes on") { test.machine.recorded(0x62, on: 1) > taken + 1 }
    try test.expectNone(of: 0x62, on: 0)
    try test.expectNone(of: 0x61, on: 1)
  }
}

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
