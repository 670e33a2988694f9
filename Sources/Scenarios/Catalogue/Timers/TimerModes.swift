import APIC
import KVM
import VMM

extension Scenario {
  /// One-shot to periodic.
  static let timerToPeriodic = Scenario(
    "timer.mode.to-periodic", "A one-shot timer that counts becomes a periodic one",
    exercises: ["apic_update_lvtt", "apic_timer_fn", "SDM 3A 12.5.4"]
  ) { test in
    let vcpu = test[vcpu: 0]
    try vcpu.setDivide(.by128)
    try vcpu.setTimer(0x61)
    // 640 ms at this rate, 5 ms at the next.
    try vcpu.startTimer(count: 5_000_000)
    try test.stimulus { try vcpu.setTimer(0x61, .periodic) }
    try vcpu.setDivide(.by1)
    try test.until("it fires again and again") { test.machine.recorded(0x61, on: 0) >= 3 }
    try vcpu.startTimer(count: 0)
  }

  /// One-shot to TSC-deadline.
  static let timerToDeadline = Scenario(
    "timer.mode.to-deadline", "TSC-deadline mode disarms a timer that counts",
    exercises: ["apic_update_lvtt", "SDM 3A 12.5.4.1"], needs: [.capability(.tscDeadlineTimer)]
  ) { test in
    let vcpu = test[vcpu: 0]
    try vcpu.setDivide(.by1)
    let (vector, deadline) = try test.inTime(on: vcpu) { vector, milliseconds in
      try vcpu.setTimer(vector)
      let start = try vcpu.readTSC()
      try vcpu.startTimer(count: UInt32(milliseconds * 1_000_000))
      try test.stimulus { try vcpu.setTimer(vector, .tscDeadline) }
      return start + vcpu.cycles(milliseconds: milliseconds) / 100 * 99
    }
    try test.check("the current count", try vcpu.read(.currentCount), equals: 0)
    // The timer's clock may be a little behind the TSC.
    try vcpu.untilPast(deadline + vcpu.cycles(milliseconds: 20))
    try test.expectNone(of: vector, on: 0)
  }

  /// TSC-deadline to one-shot.
  static let timerFromDeadline = Scenario(
    "timer.mode.from-deadline", "Leaving TSC-deadline mode disarms the deadline",
    exercises: ["apic_update_lvtt", "kvm_get_lapic_tscdeadline_msr", "SDM 3A 12.5.4.1"],
    needs: [.capability(.tscDeadlineTimer)]
  ) { test in
    let vcpu = test[vcpu: 0]
    let (vector, deadline) = try test.inTime(on: vcpu) { vector, milliseconds in
      try vcpu.setTimer(vector, .tscDeadline)
      let deadline = try vcpu.readTSC() + vcpu.cycles(milliseconds: milliseconds)
      try vcpu.setDeadline(deadline)
      try test.stimulus { try vcpu.setTimer(vector, .oneShot) }
      return deadline
    }
    try test.check("the deadline in one-shot mode", try vcpu.deadline(), equals: 0)
    try vcpu.setTimer(vector, .tscDeadline)
    try test.check("the deadline back in TSC-deadline mode", try vcpu.deadline(), equals: 0)
    try vcpu.untilPast(deadline)
    try test.expectNone(of: vector, on: 0)
  }

  /// A masked entry of the local vector table.
  static let timerMasked = Scenario(
    "timer.masked", "A masked timer counts in silence",
    exercises: ["kvm_apic_local_deliver", "apic_timer_fn", "SDM 3A 12.5.1"]
  ) { test in
    let vcpu = test[vcpu: 0]
    try vcpu.setDivide(.by1)
    try vcpu.setTimer(0x61, .periodic)
    try test.stimulus { try vcpu.setTimer(0x61, .periodic, isMasked: true) }
    try vcpu.startTimer(count: 4_000_000)
    try vcpu.untilReloaded()
    try test.expectNone(of: 0x61, on: 0)
    try vcpu.startTimer(count: 0)
  }

  /// The mask taken away.
  static let timerUnmasked = Scenario(
    "timer.unmasked", "A masked timer interrupts once it is unmasked",
    exercises: ["kvm_lapic_reg_write", "kvm_apic_local_deliver", "SDM 3A 12.5.1"]
  ) { test in
    let vcpu = test[vcpu: 0]
    try vcpu.setDivide(.by1)
    try vcpu.setTimer(0x61, .periodic, isMasked: true)
    try vcpu.startTimer(count: 4_000_000)
    try vcpu.untilReloaded()
    try test.expectNone(of: 0x61, on: 0)
    try test.stimulus { try vcpu.setTimer(0x61, .periodic) }
    try test.until("it fires again and again") { test.machine.recorded(0x61, on: 0) >= 3 }
    try vcpu.startTimer(count: 0)
  }

  /// A deadline that passes behind a mask. The SDM has it gone with its time. So has KVM where it delivers a timer's interrupt
  /// by itself, under APICv; elsewhere it looks at a masked timer only once it is unmasked, and leaves the MSR until then.
  static let timerMaskedDeadline = Scenario(
    "timer.masked-deadline", "A TSC deadline that passes while masked is gone, or waits to be unmasked and comes once",
    exercises: ["apic_timer_expired", "apic_has_pending_timer", "kvm_inject_apic_timer_irqs", "SDM 3A 12.5.4.1"],
    needs: [.capability(.tscDeadlineTimer)]
  ) { test in
    let vcpu = test[vcpu: 0]
    try vcpu.setTimer(0x61, .tscDeadline, isMasked: true)
    let far = try vcpu.readTSC() + vcpu.cycles(milliseconds: 1_000_000)
    try test.stimulus { try vcpu.setDeadline(far) }
    try test.check("the deadline to come", try vcpu.deadline(), equals: far)
    let deadline = try vcpu.readTSC() + vcpu.cycles(milliseconds: 1)
    try vcpu.setDeadline(deadline)
    try vcpu.untilPast(deadline)
    try test.expectNone(of: 0x61, on: 0)
    let left = try vcpu.deadline()
    try test.check("the deadline is 0 or as it was", [0, deadline].contains(left), saw: left)
    try vcpu.setTimer(0x61, .tscDeadline)
    try test.expect(left == 0 ? 0 : 1, of: 0x61, on: 0)
    try test.check("the deadline in the end", try vcpu.deadline(), equals: 0)
    test.note("what passes behind a mask", left == 0 ? "is gone" : "waits")
  }

  /// Another vector for a timer that counts.
  static let timerVector = Scenario(
    "timer.vector", "A timer fires through the vector that its entry has when it expires",
    exercises: ["kvm_apic_local_deliver", "SDM 3A 12.5.1"]
  ) { test in
    let vcpu = test[vcpu: 0]
    try vcpu.setDivide(.by128)
    try vcpu.setTimer(0x61)
    try vcpu.startTimer(count: 5_000_000)
    try test.stimulus { try vcpu.setTimer(0x62) }
    try vcpu.setDivide(.by1)
    try test.expect(1, of: 0x62, on: 0)
    try test.expectNone(of: 0x61, on: 0)
  }
}

extension AgentVCPU {
  /// Waits until the current count has been reloaded, which it is at the end of each period.
  fileprivate func untilReloaded() throws {
    var last = try read(.currentCount)
    try test.until("the count is reloaded") {
      let count = try read(.currentCount)
      defer { last = count }
      return count > last
    }
  }
}
