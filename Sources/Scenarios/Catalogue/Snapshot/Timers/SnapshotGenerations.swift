import APIC
import KVM
import MachineState
import VMM

/// How often a guest is saved and restored in these scenarios.
private let generations = 10

/// A timer that outlives many snapshots of its guest, each taken of what the one before was restored to.
extension Scenario {
  /// Counting all the while.
  static let snapshotGenerationsOneShot = Scenario(
    "snapshot.generations.one-shot", "A one-shot timer that counts through ten restores fires once, and not early",
    exercises: ["kvm_apic_set_state", "__start_apic_timer", "apic_get_tmcct"]
  ) { test in
    let vcpu = test[vcpu: 0]
    try vcpu.setDivide(.by1)
    var start: UInt64 = 0
    let (vector, milliseconds, _) = try test.hopBeforeItFires(on: vcpu, times: generations) { vector, milliseconds in
      try vcpu.startTimer(count: 0)
      try vcpu.setTimer(vector)
      start = try vcpu.readTSC()
      try test.stimulus { try vcpu.startTimer(count: UInt32(milliseconds * 1_000_000)) }
    } isArmed: {
      $0.localAPIC.currentCount > 0
    }
    let moment = try test.moments(of: vector, on: 0, atLeast: 1)[0]
    try test.checkNotEarly(moment, from: start, after: vcpu.cycles(milliseconds: milliseconds))
    try test.expect(1, of: vector, on: 0)
  }

  /// Armed all the while.
  static let snapshotGenerationsDeadline = Scenario(
    "snapshot.generations.deadline", "A TSC deadline that stays ahead through ten restores fires once, and not early",
    exercises: ["kvm_set_lapic_tscdeadline_msr", "start_sw_tscdeadline"], needs: [.capability(.tscDeadlineTimer)]
  ) { test in
    let vcpu = test[vcpu: 0]
    var deadline: UInt64 = 0
    let (vector, _, _) = try test.hopBeforeItFires(on: vcpu, times: generations) { vector, milliseconds in
      try vcpu.setDeadline(0)
      try vcpu.setTimer(vector, .tscDeadline)
      deadline = try vcpu.readTSC() + vcpu.cycles(milliseconds: milliseconds)
      try test.stimulus { try vcpu.setDeadline(deadline) }
    } isArmed: {
      $0.msr(MSR.tscDeadline) ?? 0 == deadline
    }
    let moment = try test.moments(of: vector, on: 0, atLeast: 1)[0]
    try test.checkNotEarly(moment, due: deadline)
    try test.expect(1, of: vector, on: 0)
  }

  /// Ticking all the while.
  static let snapshotGenerationsPeriodic = Scenario(
    "snapshot.generations.periodic", "A periodic timer ticks on in each of ten generations, and no tick is early",
    exercises: ["kvm_apic_set_state", "advance_periodic_target_expiration", "apic_timer_fn"]
  ) { test in
    let vcpu = test[vcpu: 0]
    let period = UInt64(4)
    try vcpu.setDivide(.by1)
    try vcpu.setTimer(0x62, .periodic)
    let start = try vcpu.readTSC()
    try test.stimulus { try vcpu.startTimer(count: UInt32(period * 1_000_000)) }
    var moments: [UInt64] = []
    for generation in 1...generations {
      moments += try test.moments(of: 0x62, on: 0, atLeast: 1)
      let state = try test.hop().vcpus[0].localAPIC
      try test.check("the mode in generation \(generation)", state.lvt(.timer).timerMode, equals: .periodic)
      // One whose count is over and that the kernel has not noticed interrupts as soon as the guest goes on.
      let isDue = state.interruptRequest.contains(0x62)
      try test.check("the timer counts or is due in generation \(generation)", state.currentCount > 0 || isDue)
    }
    moments += try test.moments(of: 0x62, on: 0, atLeast: 2)
    try vcpu.startTimer(count: 0)
    try test.checkTicksNotEarly(moments, from: start, period: vcpu.cycles(milliseconds: period))
  }

  /// What expires behind a mask is gone with the restore, a deadline to come stays, and a period goes on.
  static let snapshotGenerationsMasked = Scenario(
    "snapshot.generations.masked", "A masked timer interrupts in none of ten generations, and goes on unmasked",
    exercises: ["kvm_apic_local_deliver", "kvm_inject_apic_timer_irqs", "kvm_apic_set_state", "SDM 3A 12.5.1"],
    needs: [.capability(.tscDeadlineTimer)]
  ) { test in
    let vcpu = test[vcpu: 0]
    try vcpu.setDivide(.by1)
    try vcpu.setTimer(0x61, .oneShot, isMasked: true)
    try vcpu.startTimer(count: 1_000_000)
    try test.until("the masked count has come to its end") { try vcpu.read(.currentCount) == 0 }
    for _ in 1...generations { try test.hop() }
    try vcpu.setTimer(0x61, .oneShot)
    try test.expectNone(of: 0x61, on: 0)

    let deadline = try vcpu.readTSC() + vcpu.cycles(milliseconds: 1_000_000)
    try vcpu.setTimer(0x63, .tscDeadline, isMasked: true)
    try vcpu.setDeadline(deadline)
    for _ in 1...generations { try test.hop() }
    try test.check("the masked deadline", try vcpu.deadline(), equals: deadline)
    try vcpu.setTimer(0x63, .tscDeadline)
    try test.expectNone(of: 0x63, on: 0)
    try vcpu.setDeadline(try vcpu.readTSC())
    try test.expect(1, of: 0x63, on: 0)

    try vcpu.setTimer(0x62, .periodic, isMasked: true)
    try test.stimulus { try vcpu.startTimer(count: 5_000_000) }
    for _ in 1...generations { try test.hop() }
    try test.expectNone(of: 0x62, on: 0)
    try vcpu.setTimer(0x62, .periodic)
    try test.expectAtLeast(2, of: 0x62, on: 0)
    try vcpu.startTimer(count: 0)
  }

  /// What has fired does not fire again.
  static let snapshotGenerationsExpired = Scenario(
    "snapshot.generations.expired", "A timer that has fired fires again in none of ten generations",
    exercises: ["kvm_apic_set_state", "__start_apic_timer", "kvm_set_lapic_tscdeadline_msr"],
    needs: [.capability(.tscDeadlineTimer)]
  ) { test in
    let vcpu = test[vcpu: 0]
    try vcpu.setDivide(.by1)
    try vcpu.setTimer(0x61)
    try test.stimulus { try vcpu.startTimer(count: 1_000_000) }
    try test.expect(1, of: 0x61, on: 0)
    for generation in 1...generations {
      let state = try test.hop().vcpus[0].localAPIC
      try test.check("what is left in generation \(generation)", state.currentCount, equals: 0)
      try test.check("the mode in generation \(generation)", state.lvt(.timer).timerMode, equals: .oneShot)
    }
    try test.expect(1, of: 0x61, on: 0)

    try vcpu.setTimer(0x63, .tscDeadline)
    try vcpu.setDeadline(try vcpu.readTSC() + vcpu.cycles(milliseconds: 1))
    try test.expect(1, of: 0x63, on: 0)
    for _ in 1...generations { try test.hop() }
    try test.check("the deadline after it fired", try vcpu.deadline(), equals: 0)
    try test.expect(1, of: 0x63, on: 0)
  }
}
