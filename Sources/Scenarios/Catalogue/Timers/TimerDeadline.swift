import APIC
import KVM
import VMM

extension Scenario {
  /// A deadline to come.
  static let timerDeadline = Scenario(
    "timer.deadline", "A TSC deadline fires once, not before its time",
    exercises: ["kvm_set_lapic_tscdeadline_msr", "start_sw_tscdeadline", "kvm_wait_lapic_expire", "SDM 3A 12.5.4.1"],
    needs: [.capability(.tscDeadlineTimer)]
  ) { test in
    let vcpu = test[vcpu: 0]
    try vcpu.setTimer(0x61, .tscDeadline)
    let deadline = try vcpu.readTSC() + vcpu.cycles(milliseconds: 3)
    try test.stimulus { try vcpu.setDeadline(deadline) }
    let moment = try test.moments(of: 0x61, on: 0, atLeast: 1)[0]
    try test.checkNotEarly(moment, due: deadline)
    try test.expect(1, of: 0x61, on: 0)
    try test.check("the deadline after it fired", try vcpu.deadline(), equals: 0)
  }

  /// One after another.
  static let timerDeadlineChain = Scenario(
    "timer.deadline.chain", "Each of many TSC deadlines fires once",
    exercises: ["kvm_set_lapic_tscdeadline_msr", "apic_timer_expired", "SDM 3A 12.5.4.1"],
    needs: [.capability(.tscDeadlineTimer)]
  ) { test in
    let vcpu = test[vcpu: 0]
    try vcpu.setTimer(0x61, .tscDeadline)
    try test.stimulus {
      for count in 1...50 {
        // Some lie far enough ahead to be waited for, some have passed when they are written.
        try vcpu.setDeadline(try vcpu.readTSC() + vcpu.cycles(milliseconds: 1) / UInt64(count))
        try test.until("deadline \(count) fires") { test.machine.recorded(0x61, on: 0) >= count }
      }
    }
    try test.expect(50, of: 0x61, on: 0)
  }

  /// A deadline that has passed.
  static let timerDeadlinePast = Scenario(
    "timer.deadline.past", "A TSC deadline in the past fires at once",
    exercises: ["start_sw_tscdeadline", "apic_timer_expired", "SDM 3A 12.5.4.1"],
    needs: [.capability(.tscDeadlineTimer)]
  ) { test in
    let vcpu = test[vcpu: 0]
    try vcpu.setTimer(0x61, .tscDeadline)
    try test.stimulus { try vcpu.setDeadline(1) }
    try test.expect(1, of: 0x61, on: 0)
    try test.check("the deadline after it fired", try vcpu.deadline(), equals: 0)
  }

  /// A deadline taken back.
  static let timerDeadlineCancelled = Scenario(
    "timer.deadline.cancelled", "Writing 0 cancels a TSC deadline",
    exercises: ["kvm_set_lapic_tscdeadline_msr", "SDM 3A 12.5.4.1"], needs: [.capability(.tscDeadlineTimer)]
  ) { test in
    let vcpu = test[vcpu: 0]
    let (vector, deadline) = try test.inTime(on: vcpu) { vector, milliseconds in
      try vcpu.setTimer(vector, .tscDeadline)
      let deadline = try vcpu.readTSC() + vcpu.cycles(milliseconds: milliseconds)
      try vcpu.setDeadline(deadline)
      try test.stimulus { try vcpu.setDeadline(0) }
      return deadline
    }
    try vcpu.untilPast(deadline)
    try test.expectNone(of: vector, on: 0)
  }

  /// A deadline put off.
  static let timerDeadlineLater = Scenario(
    "timer.deadline.later", "A TSC deadline rewritten with a later one fires at the later",
    exercises: ["kvm_set_lapic_tscdeadline_msr", "SDM 3A 12.5.4.1"], needs: [.capability(.tscDeadlineTimer)]
  ) { test in
    let vcpu = test[vcpu: 0]
    var later: UInt64 = 0
    let (vector, _) = try test.inTime(on: vcpu) { vector, milliseconds in
      // What is left of an attempt that was too slow must not come through this vector.
      try vcpu.setDeadline(0)
      try vcpu.setTimer(vector, .tscDeadline)
      let deadline = try vcpu.readTSC() + vcpu.cycles(milliseconds: milliseconds)
      later = deadline + vcpu.cycles(milliseconds: 50 + milliseconds)
      try vcpu.setDeadline(deadline)
      try test.stimulus { try vcpu.setDeadline(later) }
      return deadline
    }
    let moment = try test.moments(of: vector, on: 0, atLeast: 1)[0]
    try test.check("it fires at the later deadline", moment >= later, saw: "\(later &- moment) cycles before it")
    try test.expect(1, of: vector, on: 0)
  }

  /// A deadline brought forward.
  static let timerDeadlineEarlier = Scenario(
    "timer.deadline.earlier", "A TSC deadline rewritten with an earlier one fires at the earlier",
    exercises: ["kvm_set_lapic_tscdeadline_msr", "SDM 3A 12.5.4.1"], needs: [.capability(.tscDeadlineTimer)]
  ) { test in
    let vcpu = test[vcpu: 0]
    try vcpu.setTimer(0x61, .tscDeadline)
    let now = try vcpu.readTSC()
    try vcpu.setDeadline(now + vcpu.cycles(milliseconds: 1_000_000))
    try test.stimulus { try vcpu.setDeadline(now + vcpu.cycles(milliseconds: 3)) }
    let moment = try test.moments(of: 0x61, on: 0, atLeast: 1)[0]
    try test.checkNotEarly(moment, due: now + vcpu.cycles(milliseconds: 3))
    try test.expect(1, of: 0x61, on: 0)
  }

  /// IA32_TSC_DEADLINE as it is read.
  static let timerDeadlineReads = Scenario(
    "timer.deadline.reads", "IA32_TSC_DEADLINE reads back while it is armed, and the counts read 0",
    exercises: ["kvm_get_lapic_tscdeadline_msr", "apic_get_tmcct", "SDM 3A 12.5.4.1"],
    needs: [.capability(.tscDeadlineTimer)]
  ) { test in
    let vcpu = test[vcpu: 0]
    try vcpu.setTimer(0x61, .tscDeadline)
    try test.check("the deadline before", try vcpu.deadline(), equals: 0)
    let deadline = try vcpu.readTSC() + vcpu.cycles(milliseconds: 1_000_000)
    try test.stimulus { try vcpu.setDeadline(deadline) }
    try test.check("the deadline", try vcpu.deadline(), equals: deadline)
    try test.check("the current count", try vcpu.read(.currentCount), equals: 0)
    try vcpu.setDeadline(0)
    try test.check("the deadline after a 0", try vcpu.deadline(), equals: 0)
  }

  /// A deadline in another mode.
  static let timerDeadlineIgnored = Scenario(
    "timer.deadline.ignored", "Outside of TSC-deadline mode a deadline is ignored",
    exercises: ["kvm_set_lapic_tscdeadline_msr", "SDM 3A 12.5.4.1"], needs: [.capability(.tscDeadlineTimer)]
  ) { test in
    let vcpu = test[vcpu: 0]
    try vcpu.setTimer(0x61, .tscDeadline)
    try test.stimulus { try vcpu.setTimer(0x61, .oneShot) }
    try vcpu.setDeadline(1)
    try test.check("the deadline in one-shot mode", try vcpu.deadline(), equals: 0)
    try test.expectNone(of: 0x61, on: 0)
    try vcpu.setTimer(0x61, .tscDeadline)
    try test.check("the deadline in TSC-deadline mode", try vcpu.deadline(), equals: 0)
    try test.expectNone(of: 0x61, on: 0)
  }

  /// An initial count in TSC-deadline mode.
  static let timerCountIgnored = Scenario(
    "timer.count.ignored", "In TSC-deadline mode an initial count is ignored",
    exercises: ["kvm_lapic_reg_write", "SDM 3A 12.5.4.1"], needs: [.capability(.tscDeadlineTimer)]
  ) { test in
    let vcpu = test[vcpu: 0]
    try vcpu.setDivide(.by1)
    try vcpu.setTimer(0x61, .oneShot)
    try test.stimulus { try vcpu.setTimer(0x61, .tscDeadline) }
    let start = try vcpu.readTSC()
    try vcpu.startTimer(count: 1_000_000)
    // A page that the hardware virtualizes keeps what was written to it; nothing comes of it.
    let kept: UInt32 = test.hasAPICv && test.mode == .xAPIC ? 1_000_000 : 0
    try test.check("the initial count", try vcpu.read(.initialCount), equals: kept)
    try test.check("the current count", try vcpu.read(.currentCount), equals: 0)
    try vcpu.untilPast(start + vcpu.cycles(milliseconds: 3))
    try test.expectNone(of: 0x61, on: 0)
  }
}
