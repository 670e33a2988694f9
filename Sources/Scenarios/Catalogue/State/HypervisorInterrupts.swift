import APIC
import KVM
import VMM

/// Interrupts that only a hypervisor has: KVM's own, and those of Hyper-V that it plays.
extension Scenario {
  /// The interrupt of asynchronous page faults. Enabling them wakes whoever may wait for one, with a token of ones.
  static let asyncPageFault = Scenario(
    "state.async-pf", "Enabling asynchronous page faults raises the interrupt of MSR_KVM_ASYNC_PF_INT with its token",
    exercises: [
      "kvm_pv_enable_async_pf", "kvm_async_pf_wakeup_all", "kvm_arch_async_page_present", "KVM_CAP_ASYNC_PF_INT",
    ],
    needs: [.capability(.asyncPFInt)]
  ) { test in
    let (vcpu, area) = (test[vcpu: 0], UInt64(0x9000))
    let (isEnabled, byInterrupt): (UInt64, UInt64) = (1 << 0, 1 << 3)
    func enable() throws { try vcpu.writeMSR(MSR.asyncPF, area | isEnabled | byInterrupt) }
    try vcpu.writeMSR(MSR.asyncPFInterrupt, 0x7b)
    for offset in [UInt64(0), 4] { try vcpu.writeMemory(area + offset, 0) }
    try test.stimulus { try enable() }
    try test.expect(1, of: 0x7b, on: 0)
    try test.check("the token", try vcpu.readMemory(area + 4), equals: .max)
    // The next waits until the token is taken, and KVM is told so.
    try enable()
    try test.expect(1, of: 0x7b, on: 0)
    try vcpu.writeMemory(area + 4, 0)
    try vcpu.writeMSR(MSR.asyncPFAcknowledge, 1)
    try test.expect(2, of: 0x7b, on: 0)
    try vcpu.writeMSR(MSR.asyncPF, 0)
  }

  /// Out of HLT without an interrupt.
  static let pvKick = Scenario(
    "state.kick", "KVM_HC_KICK_CPU wakes a processor that halts with interrupts off, and interrupts nobody", vcpus: 2,
    exercises: ["kvm_pv_kick_cpu_op", "APIC_DM_REMRD", "KVM_HC_KICK_CPU", "virt/kvm/x86/hypercalls.rst"],
    needs: [.trait(.hypercall)]
  ) { test in
    let (kickCPU, sleeper): (UInt32, _) = (5, test[vcpu: 1])
    try sleeper.haltMasked()
    try test.stimulus {
      let answer = try test[vcpu: 0].hypercall(kickCPU, 0, UInt64(sleeper.apicID))
      try test.check("KVM_HC_KICK_CPU answers", answer, equals: 0)
    }
    try sleeper.finishHalt()
    try test.fence(1)
    let taken = (16...255).reduce(0) { $0 + test.taken(Vector(rawValue: UInt8($1)), on: 1) }
    try test.check("interrupts but for the fence", taken, equals: 1)
  }

  /// A synthetic timer's own interrupt.
  static let syntheticTimer = Scenario(
    "state.hyperv.stimer", "A synthetic timer in direct mode interrupts once through its vector",
    exercises: ["kvm_hv_process_stimers", "stimer_notify_direct", "KVM_CAP_HYPERV_SYNIC2"],
    needs: [.capability(.hypervSynIC2)]
  ) { test in
    try test.enableSynIC()
    try test.stimulus {
      try test.setHyperV([(HyperV.timerConfiguration, 1 | 1 << 12 | 0x7c << 4), (HyperV.timerCount, 1)])
    }
    try test.expect(1, of: 0x7c, on: 0)
  }

  /// A synthetic timer's message, through a SINT.
  static let syntheticInterrupt = Scenario(
    "state.hyperv.sint", "A synthetic timer puts its message into its slot and interrupts through the SINT's vector",
    exercises: ["synic_deliver_msg", "synic_set_irq", "stimer_send_msg", "KVM_CAP_HYPERV_SYNIC2"],
    needs: [.capability(.hypervSynIC2)]
  ) { test in
    let page: UInt64 = 0x50_0000
    for offset in stride(from: UInt64(256), to: 272, by: 4) { try test[vcpu: 0].writeMemory(page + offset, 0) }
    try test.enableSynIC([(HyperV.messagePage, page | 1), (HyperV.sint1, 0x7d)])
    try test.stimulus { try test.setHyperV([(HyperV.timerConfiguration, 1 | 1 << 16), (HyperV.timerCount, 1)]) }
    try test.expect(1, of: 0x7d, on: 0)
    try test.check("the message's type", try test[vcpu: 0].readMemory(page + 256), equals: HyperV.timerExpired)
  }
}

/// Registers of the Hypervisor Top-Level Functional Specification, sections 11.8 and 12.3.
private enum HyperV {
  static let control: UInt32 = 0x4000_0080
  static let messagePage: UInt32 = 0x4000_0083
  static let sint1: UInt32 = 0x4000_0091
  static let timerConfiguration: UInt32 = 0x4000_00b0
  static let timerCount: UInt32 = 0x4000_00b1
  /// The type of a message of a timer.
  static let timerExpired: UInt32 = 0x8000_0010
}

extension TestContext {
  fileprivate func enableSynIC(_ registers: [(UInt32, UInt64)] = []) throws {
    try machine.withVCPUStopped(0) { vcpu throws(KVMError) in try vcpu.enable(.hypervSynIC2) }
    try setHyperV([(HyperV.control, 1)] + registers)
  }

  fileprivate func setHyperV(_ registers: [(UInt32, UInt64)]) throws {
    let entries = registers.map { MSREntry(index: $0, value: $1) }
    let answer = try machine.withVCPUStopped(0) { vcpu throws(KVMError) in try vcpu.setMSRs(entries) }
    try check("KVM takes all registers of Hyper-V", answer.refused == nil)
  }
}
