import APIC
import KVM
import VMM

/// State that is set in an order in which KVM drops part of it, without a word: a kernel that keeps it is to be noticed.
extension Scenario {
  /// IA32_TSC_DEADLINE before the local APIC whose timer it is for.
  static let orderDeadline = Scenario(
    "state.order.deadline-before-lapic", "KVM drops a TSC deadline that is set before the local APIC's timer mode",
    exercises: ["kvm_set_lapic_tscdeadline_msr", "kvm_apic_set_state", "KVM_SET_MSRS", "KVM_SET_LAPIC"],
    needs: [.capability(.tscDeadlineTimer)]
  ) { test in
    let vcpu = test[vcpu: 0]
    let deadline = try vcpu.readTSC() + vcpu.cycles(milliseconds: 1_000_000)
    /// As a new vCPU is, whose timer is in one-shot mode, in either order.
    func restore(deadlineFirst: Bool) throws {
      try test.machine.withVCPUStopped(0) { vcpu throws(KVMError) in
        let state = try vcpu.localAPIC()
        var new = state
        new.setLVT(.timer, to: .timer(0x61, mode: .oneShot, isMasked: true))
        try vcpu.setLocalAPIC(new)
        if deadlineFirst { _ = try vcpu.setMSRs([MSREntry(index: MSR.tscDeadline, value: deadline)]) }
        try vcpu.setLocalAPIC(state)
        if !deadlineFirst { _ = try vcpu.setMSRs([MSREntry(index: MSR.tscDeadline, value: deadline)]) }
      }
    }
    try vcpu.setTimer(0x61, .tscDeadline)
    try restore(deadlineFirst: false)
    try test.check("the deadline that is set last", try vcpu.deadline(), equals: deadline)
    try test.stimulus { try restore(deadlineFirst: true) }
    try test.check("the deadline that is set first", try vcpu.deadline(), equals: 0)
    try test.expectNone(of: 0x61, on: 0)
  }
  /// IA32_TSC_DEADLINE before the TSC that it is a value of: the timer was started for the TSC of before. A timer of VMX
  /// (the preemption timer) is computed anew whenever the vCPU comes to another processor (`kvm_lapic_restart_hv_timer`), so
  /// this keeps it on one, and looks at the one way alone that every timer shows: a TSC that is set back, after which the
  /// interrupt comes before its time.
  static let orderTSC = Scenario(
    "state.order.deadline-before-tsc",
    "KVM keeps the moment of a TSC deadline when the TSC is set back after it: it is early",
    exercises: ["kvm_set_lapic_tscdeadline_msr", "kvm_write_tsc_offset", "KVM_VCPU_TSC_OFFSET"],
    needs: [.capability(.tscDeadlineTimer), .trait(.tscOffset)]
  ) { test in
    let vcpu = test[vcpu: 0]
    _ = try test.machine.shareProcessor([0])
    let day = vcpu.cycles(milliseconds: 86_400_000)
    func setOffset(back: Bool) throws {
      try test.machine.withVCPUStopped(0) { vcpu throws(KVMError) in
        let offset = try vcpu.tscOffset()
        try vcpu.setTSCOffset(back ? offset &- day : offset &+ day)
      }
    }
    try setOffset(back: false)
    let deadline = try vcpu.readTSC() + vcpu.cycles(milliseconds: 200)
    try vcpu.setTimer(0x61, .tscDeadline)
    try test.stimulus { try vcpu.setDeadline(deadline) }
    try setOffset(back: true)
    let moment = try test.moments(of: 0x61, on: 0, atLeast: 1)[0]
    // Where the offset was not taken, the deadline may be less than that.
    let isEarly = deadline > day / 2 && moment < deadline - day / 2
    try test.check("the interrupt comes before its deadline", isEarly, saw: moment)
    try test.expect(1, of: 0x61, on: 0)
  }

  /// The local APIC before IA32_APIC_BASE, which has its mode.
  static let orderBase = Scenario(
    "state.order.lapic-before-base",
    "KVM keeps a local APIC that is set before IA32_APIC_BASE says that it is an x2APIC",
    modes: [.x2APIC], vcpus: 2,
    exercises: ["kvm_apic_set_state", "kvm_apic_state_fixup", "kvm_lapic_set_base", "KVM_SET_LAPIC", "KVM_SET_MSRS"]
  ) { test in
    let vcpu = test[vcpu: 1]
    try vcpu.setDivide(.by16)
    try vcpu.setTimer(0x61, .periodic, isMasked: true)
    try vcpu.write(.taskPriority, 0x20)
    try test[vcpu: 1].send(.interrupt(0x8a, to: .physical(0)))
    try test.expect(1, of: 0x8a, on: 0)
    let (before, after) = try test.machine.withVCPUStopped(1) { vcpu throws(KVMError) in
      let state = try vcpu.localAPIC()
      let base = try vcpu.msrs([MSR.apicBase]).entries[0].value
      _ = try vcpu.setMSRs([MSREntry(index: MSR.apicBase, value: base & ~(1 << 10))])
      try vcpu.setLocalAPIC(state)
      _ = try vcpu.setMSRs([MSREntry(index: MSR.apicBase, value: base)])
      return (state, try vcpu.localAPIC())
    }
    // KVM derives the PPR anew, and what it had can be older: a TPR that is written without an exit leaves it as it was where
    // interrupts are injected (vmx_update_msr_bitmap_x2apic, apic_update_ppr).
    for word in before.registers.indices where word != Int(LocalAPICRegister.processorPriority.rawValue) / 4 {
      try test.check(
        "the word at 0x\(String(word * 4, radix: 16))", after.registers[word], equals: before.registers[word])
    }
    try vcpu.write(.taskPriority, 0)
    try test.stimulus { try test.signal(MSIMessage(vector: 0x83, destination: vcpu.destination)) }
    try test.expect(1, of: 0x83, on: 1)
  }
}
