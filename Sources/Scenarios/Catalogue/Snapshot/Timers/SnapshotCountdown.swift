import APIC
import KVM
import MachineState
import VMM

/// The local APIC's timer in one-shot and periodic mode when the state is taken. A count is a nanosecond, divided by 1.
extension Scenario {
  /// Counting.
  static let snapshotOneShot = oneShot(
    "snapshot.timer.one-shot", "A one-shot timer fires once after a restore, not before what was left of it has passed",
    restores: 1)

  /// Counting all the while that its guest is saved and restored, each time what the time before was restored to.
  static func oneShot(_ id: String, _ title: String, restores: Int) -> Scenario {
    Scenario(
      id, title,
      exercises: ["kvm_apic_set_state", "__start_apic_timer", "apic_get_tmcct", "SDM 3A 12.5.4"]
    ) { test in
      let vcpu = test[vcpu: 0]
      try vcpu.setDivide(.by1)
      var start: UInt64 = 0
      let (vector, milliseconds, left) = try test.hopBeforeItFires(on: vcpu, times: restores) { vector, milliseconds in
        try vcpu.startTimer(count: 0)
        try vcpu.setTimer(vector)
        start = try vcpu.readTSC()
        try test.stimulus { try vcpu.startTimer(count: UInt32(milliseconds * 1_000_000)) }
      } isArmed: {
        $0.localAPIC.currentCount > 0
      }
      let now = try vcpu.read(.currentCount)
      try test.check("what is left is no more than before", now <= left.localAPIC.currentCount, saw: now)
      let moment = try test.moments(of: vector, on: 0, atLeast: 1)[0]
      try test.checkNotEarly(moment, from: start, after: vcpu.cycles(milliseconds: milliseconds))
      try test.expect(1, of: vector, on: 0)
    }
  }

  /// What is left.
  static let snapshotRemaining = Scenario(
    "snapshot.timer.remaining", "A timer has as much of its time left after a restore as before, one-shot or periodic",
    exercises: ["apic_get_tmcct", "kvm_apic_set_state", "__start_apic_timer", "KVM_GET_LAPIC"]
  ) { test in
    let vcpu = test[vcpu: 0]
    try vcpu.setDivide(.by1)
    for mode in [TimerMode.oneShot, .periodic] {
      try vcpu.setTimer(0x61, mode)
      try test.stimulus { try vcpu.startTimer(count: .max) }
      var start = ContinuousClock.now
      var passed = 0.0
      var left: UInt32 = 0
      let state = try test.hop(
        changing: { _ in start = .now },
        inspecting: { _ in
          left = try test.localAPICState(of: 0).currentCount
          passed = (ContinuousClock.now - start) / .nanoseconds(1)
        })
      let before = state.vcpus[0].localAPIC.currentCount
      try test.check("the timer counts when the state is taken", before > 0)
      try test.check("no time is added", left <= before, saw: "\(before) and then \(left)")
      try test.check(
        "no time is lost but what passes", Double(before - min(left, before)) <= passed * 1.01,
        saw: "\(before) and then \(left), while \(passed) ns passed")
    }
    try vcpu.startTimer(count: 0)
  }

  /// At its end.
  static let snapshotOneShotDue = Scenario(
    "snapshot.timer.almost-due", "A one-shot timer with a single count left fires once after a restore",
    exercises: ["kvm_apic_set_state", "__start_apic_timer", "apic_timer_fn"]
  ) { test in
    let vcpu = test[vcpu: 0]
    try vcpu.setDivide(.by1)
    try vcpu.setTimer(0x61)
    try test.stimulus { try vcpu.startTimer(count: 4_000_000_000) }
    try test.hop(changing: { state in
      if state.vcpus[0].localAPIC.currentCount > 1 { state.vcpus[0].localAPIC.currentCount = 1 }
    })
    try test.expect(1, of: 0x61, on: 0)
    try test.hop()
    try test.expect(1, of: 0x61, on: 0)
  }

  /// Expired while the vCPU stood still.
  static let snapshotOneShotOverdue = Scenario(
    "snapshot.timer.overdue", "A one-shot timer that expires while its vCPU stands still fires once after a restore",
    exercises: ["apic_timer_fn", "kvm_inject_apic_timer_irqs", "kvm_apic_get_state"]
  ) { test in
    let vcpu = test[vcpu: 0]
    try vcpu.setDivide(.by1)
    try vcpu.setTimer(0x61)
    try vcpu.disableInterrupts()
    try test.stimulus { try vcpu.startTimer(count: 20_000_000) }
    let state = try test.hop(whilePaused: { Pause.sleep(.milliseconds(25)) })
    try test.check("the current count", state.vcpus[0].localAPIC.currentCount, equals: 0)
    try test.check("the IRR", state.vcpus[0].localAPIC.interruptRequest, equals: [0x61])
    try vcpu.enableInterrupts()
    try test.expect(1, of: 0x61, on: 0)
    try test.hop()
    try test.expect(1, of: 0x61, on: 0)
  }

  /// Expiring around the moment of the capture.
  static let snapshotOneShotRace = Scenario(
    "snapshot.timer.race", "A one-shot timer that is due about when the state is taken fires once, and not early",
    exercises: ["apic_timer_fn", "apic_get_tmcct", "kvm_apic_get_state", "kvm_apic_set_state"]
  ) { test in
    let vcpu = test[vcpu: 0]
    try vcpu.setDivide(.by1)
    try vcpu.setTimer(0x61)
    for round in 1...24 {
      let microseconds = UInt64(100 + 100 * round)
      let start = try vcpu.readTSC()
      try test.stimulus { try vcpu.startTimer(count: UInt32(microseconds * 1000)) }
      try test.hop()
      let moment = try test.moments(of: 0x61, on: 0, atLeast: 1)[0]
      try test.checkNotEarly(
        moment, from: start, after: vcpu.cycles(milliseconds: microseconds) / 1000, what: "round \(round)")
      // It is counted after it is logged.
      try test.expectAtLeast(round, of: 0x61, on: 0)
      try test.check("interrupts by round \(round)", test.taken(0x61, on: 0), equals: round)
    }
    try test.expect(24, of: 0x61, on: 0)
  }

  /// Again and again, in each of ten generations.
  static let snapshotPeriodic = Scenario(
    "snapshot.timer.periodic", "A periodic timer keeps its period over ten restores, and no tick is early",
    exercises: ["kvm_apic_set_state", "advance_periodic_target_expiration", "apic_timer_fn", "SDM 3A 12.5.4"]
  ) { test in
    let vcpu = test[vcpu: 0]
    let period = UInt64(4)
    try vcpu.setDivide(.by1)
    try vcpu.setTimer(0x62, .periodic)
    let start = try vcpu.readTSC()
    try test.stimulus { try vcpu.startTimer(count: UInt32(period * 1_000_000)) }
    var moments: [UInt64] = []
    for hop in 1...10 {
      moments += try test.moments(of: 0x62, on: 0, atLeast: 2)
      let state = try test.hop().vcpus[0].localAPIC
      try test.check("the mode at hop \(hop)", state.lvt(.timer).timerMode, equals: .periodic)
      // One whose count is over and that the kernel has not noticed interrupts as soon as the guest goes on.
      let isDue = state.interruptRequest.contains(0x62)
      try test.check("the timer counts or is due at hop \(hop)", state.currentCount > 0 || isDue)
      try test.check("the period at hop \(hop)", try vcpu.read(.initialCount), equals: UInt32(period * 1_000_000))
    }
    moments += try test.moments(of: 0x62, on: 0, atLeast: 3)
    try vcpu.startTimer(count: 0)
    try test.checkTicksNotEarly(moments, from: start, period: vcpu.cycles(milliseconds: period))
  }

  /// A tick that the vCPU has not taken yet.
  static let snapshotPeriodicOverdue = Scenario(
    "snapshot.timer.periodic-overdue", "A tick that waits is taken after a restore besides those that are to come",
    exercises: ["apic_timer_fn", "kvm_inject_apic_timer_irqs", "kvm_apic_get_state", "kvm_apic_set_state"]
  ) { test in
    let vcpu = test[vcpu: 0]
    try vcpu.setDivide(.by1)
    try vcpu.setTimer(0x62, .periodic)
    try vcpu.disableInterrupts()
    try test.stimulus { try vcpu.startTimer(count: 20_000_000) }
    let state = try test.hop(whilePaused: { Pause.sleep(.milliseconds(25)) })
    try test.check("the IRR", state.vcpus[0].localAPIC.interruptRequest, equals: [0x62])
    try vcpu.enableInterrupts()
    try test.expectAtLeast(3, of: 0x62, on: 0)
    try vcpu.startTimer(count: 0)
  }
}

extension TestContext {
  /// Arms a timer and hops before it fires, with ever more time and ever another vector.
  ///
  /// - Parameter hops: how often, one after the other.
  func hopBeforeItFires(
    on vcpu: AgentVCPU, times hops: Int = 1, _ arm: (_ vector: Vector, _ milliseconds: UInt64) throws -> Void,
    isArmed: (VCPUState) -> Bool
  ) throws -> (vector: Vector, milliseconds: UInt64, state: VCPUState) {
    for (vector, milliseconds) in zip(
      [0x61, 0x62, 0x63, 0x64, 0x65] as [Vector], [20, 80, 300, 1000, 4000] as [UInt64])
    {
      try arm(vector, milliseconds)
      var done = 0
      while done < hops {
        let state = try hop().vcpus[vcpu.index]
        guard isArmed(state) else { break }
        done += 1
        if done == hops { return (vector, milliseconds, state) }
      }
    }
    throw ScenarioFailure("the timer is not armed when the state is taken")
  }
}
