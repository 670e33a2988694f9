import APIC
import KVM
import MachineState
import VMM

/// A TSC deadline when the state is taken.
extension Scenario {
  /// To come.
  static let snapshotDeadline = deadline(
    "snapshot.deadline", "A TSC deadline to come fires once after a restore, not before its time", restores: 1)

  /// Ahead all the while that its guest is saved and restored.
  static func deadline(_ id: String, _ title: String, restores: Int) -> Scenario {
    Scenario(
      id, title,
      exercises: ["kvm_set_lapic_tscdeadline_msr", "kvm_get_lapic_tscdeadline_msr", "SDM 3A 12.5.4.1"],
      needs: [.capability(.tscDeadlineTimer)]
    ) { test in
      let vcpu = test[vcpu: 0]
      var deadline: UInt64 = 0
      let (vector, _, _) = try test.hopBeforeItFires(on: vcpu, times: restores) { vector, milliseconds in
        try vcpu.setDeadline(0)
        try vcpu.setTimer(vector, .tscDeadline)
        deadline = try vcpu.readTSC() + vcpu.cycles(milliseconds: milliseconds)
        try test.stimulus { try vcpu.setDeadline(deadline) }
      } isArmed: {
        $0.msr(MSR.tscDeadline) ?? 0 != 0
      }
      let moment = try test.moments(of: vector, on: 0, atLeast: 1)[0]
      try test.checkNotEarly(moment, due: deadline)
      try test.expect(1, of: vector, on: 0)
      try test.check("the deadline after it fired", try vcpu.deadline(), equals: 0)
    }
  }

  /// A cycle ahead.
  static let snapshotDeadlineDue = Scenario(
    "snapshot.deadline.almost-due", "A TSC deadline that is a cycle ahead when the state is taken fires once",
    exercises: ["kvm_set_lapic_tscdeadline_msr", "start_sw_tscdeadline", "apic_timer_expired"],
    needs: [.capability(.tscDeadlineTimer)]
  ) { test in
    let vcpu = test[vcpu: 0]
    try vcpu.setTimer(0x61, .tscDeadline)
    let far = try vcpu.readTSC() + vcpu.cycles(milliseconds: 1_000_000)
    try test.stimulus { try vcpu.setDeadline(far) }
    try test.hop(changing: { state in
      let tsc = state.vcpus[0].msr(MSR.tsc) ?? 0
      for index in state.vcpus[0].msrs.indices
      where state.vcpus[0].msrs[index].index == MSR.tscDeadline && state.vcpus[0].msrs[index].value == far {
        state.vcpus[0].msrs[index].value = tsc + 1
      }
    })
    try test.expect(1, of: 0x61, on: 0)
    try test.check("the deadline after it fired", try vcpu.deadline(), equals: 0)
  }

  /// Passed while the vCPU stood still.
  static let snapshotDeadlineOverdue = Scenario(
    "snapshot.deadline.overdue", "A TSC deadline that passes while its vCPU stands still fires once after a restore",
    exercises: ["apic_timer_expired", "kvm_get_lapic_tscdeadline_msr", "kvm_set_lapic_tscdeadline_msr"],
    needs: [.capability(.tscDeadlineTimer)]
  ) { test in
    let vcpu = test[vcpu: 0]
    try vcpu.disableInterrupts()
    try vcpu.setTimer(0x61, .tscDeadline)
    let deadline = try vcpu.readTSC() + vcpu.cycles(milliseconds: 20)
    try test.stimulus { try vcpu.setDeadline(deadline) }
    let state = try test.hop(whilePaused: { Pause.sleep(.milliseconds(25)) }).vcpus[0]
    let isRequested = state.localAPIC.interruptRequest.contains(0x61)
    let isArmed = state.msr(MSR.tscDeadline) ?? 0 != 0
    try test.check("the interrupt is in the IRR or still to come, not both", isRequested != isArmed)
    try vcpu.enableInterrupts()
    try test.expect(1, of: 0x61, on: 0)
    try test.hop()
    try test.expect(1, of: 0x61, on: 0)
  }

  /// About when the state is taken.
  static let snapshotDeadlineRace = Scenario(
    "snapshot.deadline.race", "A TSC deadline about when the state is taken fires once, and not early",
    exercises: ["start_sw_tscdeadline", "apic_timer_expired", "kvm_get_lapic_tscdeadline_msr"],
    needs: [.capability(.tscDeadlineTimer)]
  ) { test in
    let vcpu = test[vcpu: 0]
    try vcpu.setTimer(0x61, .tscDeadline)
    for round in 1...24 {
      let deadline = try vcpu.readTSC() + vcpu.cycles(milliseconds: UInt64(100 + 100 * round)) / 1000
      try test.stimulus { try vcpu.setDeadline(deadline) }
      try test.hop()
      let moment = try test.moments(of: 0x61, on: 0, atLeast: 1)[0]
      try test.checkNotEarly(moment, due: deadline, what: "round \(round)")
      // It is counted after it is logged.
      try test.expectAtLeast(round, of: 0x61, on: 0)
      try test.check("interrupts by round \(round)", test.taken(0x61, on: 0), equals: round)
    }
    try test.expect(24, of: 0x61, on: 0)
  }

  /// Guest time on all vCPUs.
  static let snapshotTime = Scenario(
    "snapshot.tsc", "The TSC goes on after a restore, never back, and is one on all vCPUs", vcpus: 2,
    exercises: ["kvm_synchronize_tsc", "KVM_VCPU_TSC_OFFSET", "KVM_SET_CLOCK"], needs: [.trait(.steadyTSC)],
    sabotage: .impossible("the TSC goes on without a hop as well")
  ) { test in
    let (first, second) = (test[vcpu: 0], test[vcpu: 1])
    var last: UInt64 = 0
    for hop in 1...3 {
      try test.hop()
      for _ in 1...10 {
        let values = [last, try first.readTSC(), try second.readTSC(), try first.readTSC(), try second.readTSC()]
        try test.check("the TSC goes on after hop \(hop)", values == values.sorted(), saw: "\(values)")
        last = values[4]
      }
    }
  }

  /// Guest time while there is no guest.
  static let snapshotTimeStands = Scenario(
    "snapshot.tsc.stands-still", "Guest time stands still between capture and restore",
    exercises: ["kvm_synchronize_tsc", "KVM_VCPU_TSC_OFFSET"], needs: [.trait(.tscOffset)]
  ) { test in
    let first = test[vcpu: 0]
    let gap = Duration.milliseconds(50)
    let hostStart = ContinuousClock.now
    let before = try first.readTSC()
    try test.stimulus { try test.hop(changing: { _ in Pause.sleep(gap) }) }
    let after = try first.readTSC()
    let elapsed = ContinuousClock.now - hostStart
    try test.check("the TSC goes on", after > before, saw: "\(before) and then \(after)")
    let most = Double(first.cycles(milliseconds: 1)) * ((elapsed - gap) / .milliseconds(1)) * 1.01
    try test.check("the TSC stood still", Double(after - before) <= most, saw: "\(after - before) cycles of \(most)")
  }
}
