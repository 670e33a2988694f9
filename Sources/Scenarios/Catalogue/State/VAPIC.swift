import APIC
import KVM
import VMM

/// The help that KVM gives to guests which access the TPR often, and to those who patch them.
extension Scenario {
  /// A page that no guest of Lapwing's uses.
  private static let vapicAddress: UInt64 = 0x50_0000

  /// The vAPIC word as KVM writes it.
  static let vapicWord = Scenario(
    "state.vapic.word", "KVM keeps TPR, highest ISR class and highest IRR vector in the vAPIC word",
    exercises: ["kvm_lapic_set_vapic_addr", "kvm_lapic_sync_to_vapic", "KVM_SET_VAPIC_ADDR"],
    needs: [.capability(.vapic)]
  ) { test in
    let vcpu = test[vcpu: 0]
    let memory = test.machine.memory
    func word() throws -> UInt32 { try memory.load(UInt32.self, at: vapicAddress) }
    try vcpu.disableInterrupts()
    try test.stimulus {
      try test.machine.withVCPUStopped(0) { vcpu throws(KVMError) in
        try vcpu.setVAPICAddress(vapicAddress)
        var state = try vcpu.localAPIC()
        state.taskPriority = Priority(rawValue: 0x40)
        state.inService.insert(0x63)
        state.interruptRequest.insert(0x8b)
        // What follows KVM_SET_LAPIC is an entry that evaluates interrupts, and so writes the word. KVM reads the word's
        // TPR at every exit, so it must have it first.
        try vcpu.setLocalAPIC(state)
      }
    }
    try test.until("the vAPIC word is TPR 0x40, ISR class 6, IRR 0x8b") { try word() == 0x8b00_6040 }
    try vcpu.enableInterrupts()
    try test.expect(1, of: 0x8b, on: 0, unfenced: "0x63 is in service")
  }

  /// The vAPIC word as the guest writes it.
  static let vapicPriority = Scenario(
    "state.vapic.priority", "A TPR that the guest writes into the vAPIC word is the local APIC's from the next exit on",
    exercises: ["kvm_lapic_sync_from_vapic", "KVM_SET_VAPIC_ADDR"], needs: [.capability(.vapic)]
  ) { test in
    let vcpu = test[vcpu: 0]
    try vcpu.writeMemory(vapicAddress, 0)
    try test.machine.withVCPUStopped(0) { vcpu throws(KVMError) in try vcpu.setVAPICAddress(vapicAddress) }
    // KVM overwrites the word at an entry that evaluates interrupts, which a write can fall just before.
    try test.until("the local APIC takes the TPR of the word over") {
      try test.stimulus { try vcpu.writeMemory(vapicAddress, 0x90) }
      return try test.localAPICState(of: 0).taskPriority.rawValue == 0x90
    }
    try test.signal(MSIMessage(vector: 0x8c, destination: vcpu.destination))
    try test.expectHeld(0x8c, on: 0, by: "the task priority in the word")
    try test.until("the local APIC takes the lower TPR over") {
      try vcpu.writeMemory(vapicAddress, 0)
      return try test.localAPICState(of: 0).taskPriority.rawValue == 0
    }
    // KVM looks for interrupts that the new TPR lets in when the next one comes.
    try test.signal(MSIMessage(vector: 0x8d, destination: vcpu.destination))
    try test.expect(1, of: 0x8d, on: 0)
    try test.expect(1, of: 0x8c, on: 0)
  }

  /// TPR accesses that are reported.
  static let tprReporting = Scenario(
    "state.tpr-reporting", "KVM_TPR_ACCESS_REPORTING reports writes to the TPR, and carries them out", modes: [.xAPIC],
    exercises: ["report_tpr_access", "kvm_vcpu_ioctl_tpr_access_reporting", "KVM_EXIT_TPR_ACCESS"],
    needs: [.capability(.vapic), .trait(.reportedTPRAccesses)],
    hooks: .answeringTPRWrites
  ) { test in
    let vcpu = test[vcpu: 0]
    try vcpu.write(.taskPriority, 0x20)
    try test.expectNone(of: 2, on: 0, unfenced: "its task priority is 2")
    try test.stimulus {
      try test.machine.withVCPUStopped(0) { vcpu throws(KVMError) in try vcpu.setTPRReporting(true) }
    }
    for (count, priority) in [UInt32(0x30), 0x50, 0x10].enumerated() {
      try vcpu.write(.taskPriority, priority)
      try test.deciding(.reportedTPRAccesses) {
        try test.expect(count + 1, of: 2, on: 0, unfenced: "its task priority is above 0")
      }
      try test.check("the TPR", try test.localAPICState(of: 0).taskPriority.rawValue, equals: UInt8(priority))
    }
    try test.machine.withVCPUStopped(0) { vcpu throws(KVMError) in try vcpu.setTPRReporting(false) }
    try vcpu.write(.taskPriority, 0)
    try test.expect(3, of: 2, on: 0)
  }
}

extension MachineHooks {
  /// Answers each report of a write to the TPR with an NMI, which counts it in the guest.
  static var answeringTPRWrites: MachineHooks {
    MachineHooks(answer: { vcpu, exit in
      guard case .tprAccess(let access) = exit, access.direction == .write else { return false }
      return (try? vcpu.nmi()) != nil
    })
  }
}
