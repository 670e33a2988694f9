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
}
