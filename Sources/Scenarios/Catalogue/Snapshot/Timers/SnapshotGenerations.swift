import APIC
import KVM
import MachineState
import VMM

/// How often a guest is saved and restored in these scenarios.
private let generations = 10

/// A timer that outlives many snapshots of its guest, each taken of what the one before was restored to.
extension Scenario {
  /// Counting all the while.
  static let snapshotGenerationsOneShot = oneShot(
    "snapshot.generations.one-shot", "A one-shot timer that counts through ten restores fires once, and not early",
    restores: generations)

  /// Armed all the while.
  static let snapshotGenerationsDeadline = deadline(
    "snapshot.generations.deadline", "A TSC deadline that stays ahead through ten restores fires once, and not early",
    restores: generations)

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
