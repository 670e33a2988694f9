import APIC
import KVM
import VMM

extension Scenario {
  /// The current count register.
  static let timerCount = Scenario(
    "timer.count", "The current count falls from the initial count to 0 and stays there",
    exercises: ["apic_get_tmcct", "SDM 3A 12.5.4"]
  ) { test in
    let vcpu = test[vcpu: 0]
    let initial: UInt32 = 40_000_000
    try test.check("the count before", try vcpu.read(.currentCount), equals: 0)
    try vcpu.setDivide(.by128)
    try vcpu.setTimer(0x61)
    try test.stimulus { try vcpu.startTimer(count: initial) }
    let counts = try (0..<4).map { _ in try vcpu.read(.currentCount) }
    try test.check("the initial count reads back", try vcpu.read(.initialCount), equals: initial)
    try test.check("no count is above the initial one", counts[0] <= initial, saw: counts[0])
    try test.check("the counts fall", zip(counts, counts.dropFirst()).allSatisfy { $0 > $1 }, saw: counts)
    // So slow that it cannot have expired; now it may.
    try vcpu.setDivide(.by1)
    try test.expect(1, of: 0x61, on: 0)
    try test.check("the count after", try vcpu.read(.currentCount), equals: 0)
    try test.check("the initial count after", try vcpu.read(.initialCount), equals: initial)
  }

  /// All of the divide configuration register.
  static let timerDivide = Scenario(
    "timer.divide", "Each divide value slows the count by its factor",
    exercises: ["update_divide_count", "apic_get_tmcct", "SDM 3A 12.5.4"]
  ) { test in
    for divide in TimerDivide.allCases {
      try test[vcpu: 0].checkCountRate(busNanoseconds: 1, divide)
      try test.check(
        "the divide configuration reads back", try test[vcpu: 0].read(.divide), equals: divide.registerValue)
    }
  }

  /// The divide configuration of a timer that counts.
  static let timerDivideArmed = Scenario(
    "timer.divide.armed", "A divide value written while the timer counts holds from then on",
    exercises: ["kvm_lapic_reg_write", "update_target_expiration", "SDM 3A 12.5.4"]
  ) { test in
    let vcpu = test[vcpu: 0]
    try vcpu.setDivide(.by128)
    try vcpu.setTimer(0x61)
    // 5 s at this rate, 40 ms at the next.
    try vcpu.startTimer(count: 40_000_000)
    let before = try vcpu.read(.currentCount)
    try test.stimulus { try vcpu.setDivide(.by1) }
    try test.check("the count goes on from where it was", try vcpu.read(.currentCount) < before)
    try test.expect(1, of: 0x61, on: 0)
  }

  /// A bus of another frequency.
  static let timerBusCycle = Scenario(
    "timer.bus-cycle", "The timer counts cycles of the bus frequency that user space chose",
    exercises: ["KVM_CAP_X86_APIC_BUS_CYCLES_NS", "tmict_to_ns", "apic_get_tmcct"],
    needs: [.capability(.apicBusCycles)],
    hooks: MachineHooks(prepare: { (vm) throws(KVMError) in try vm.setAPICBusCycle(nanoseconds: 40) })
  ) { test in
    let vcpu = test[vcpu: 0]
    for divide in [TimerDivide.by1, .by4] { try vcpu.checkCountRate(busNanoseconds: 40, divide) }
    try vcpu.setDivide(.by1)
    try vcpu.setTimer(0x61)
    let start = try vcpu.readTSC()
    try vcpu.startTimer(count: 100_000)
    let moment = try test.moments(of: 0x61, on: 0, atLeast: 1)[0]
    try test.check("100000 cycles take 4 ms", moment &- start >= vcpu.cycles(milliseconds: 4) / 100 * 99)
  }
}

extension AgentVCPU {
  /// Starts a long countdown and compares how it advances with the TSC.
  fileprivate func checkCountRate(busNanoseconds: UInt64, _ divide: TimerDivide) throws {
    try setTimer(0x60)
    try setDivide(divide)
    try test.stimulus { try startTimer(count: .max) }
    let first = try readCount()
    try untilPast(first.after + cycles(milliseconds: 3))
    let second = try readCount()
    try startTimer(count: 0)
    try test.check("it counts", second.count > 0 && first.count > second.count, saw: [first.count, second.count])
    let plausible = first.plausibleCounts(
      to: second, nanoseconds: busNanoseconds * UInt64(divide.divisor), kHz: test.machine.clock.kHz)
    let elapsed = Double(first.count) - Double(second.count)
    try test.check(
      "divided by \(divide.divisor), \(plausible) counts elapse", plausible.contains(elapsed), saw: elapsed)
  }
}

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
