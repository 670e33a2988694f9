import APIC
import KVM
import MachineState
import VMM

/// Three processors, of which two share the low 8 bits of their ids.
private func useWideIDs(_ configuration: inout MachineConfiguration) { configuration.vcpuIDs = [0, 44, 300] }

/// What vCPUs do, and where, when the state is taken.
extension Scenario {
  /// In HLT.
  static let snapshotHalted = Scenario(
    "snapshot.halted", "A halted vCPU is halted after a restore, until an interrupt wakes it", vcpus: 2,
    exercises: ["kvm_arch_vcpu_ioctl_get_mpstate", "kvm_arch_vcpu_ioctl_set_mpstate", "kvm_vcpu_block"]
  ) { test in
    try test[vcpu: 1].halt()
    let state = try test.hop()
    try test.check("its state", state.vcpus[1].mpState, equals: .halted)
    try test.untilHalted(1)
    try test.check("it still halts", try !test[vcpu: 1].isIdle())
    try test.stimulus { try test.signal(MSIMessage(vector: 0x71, destination: test[vcpu: 1].destination)) }
    try test.expect(1, of: 0x71, on: 1)
    try test[vcpu: 1].finishHalt()
  }

  /// In HLT with interrupts held off.
  static let snapshotHaltedMasked = Scenario(
    "snapshot.halted-masked", "A vCPU that halts with interrupts off and one waiting stays halted over a restore",
    vcpus: 2, exercises: ["kvm_arch_vcpu_ioctl_set_mpstate", "kvm_vcpu_has_events", "kvm_arch_interrupt_allowed"]
  ) { test in
    let sleeper = test[vcpu: 1]
    try sleeper.disableInterrupts()
    try sleeper.haltMasked()
    try test.stimulus { try test.signal(MSIMessage(vector: 0x65, destination: sleeper.destination)) }
    try test.hop()
    try test.untilHalted(1)
    try test.check("it still halts", try !sleeper.isIdle())
    try test.expectHeld(0x65, on: 1, by: "a HLT with interrupts off")
    try test.machine.withVCPUStopped(1) { vcpu throws(KVMError) in try vcpu.nmi() }
    try test.expect(1, of: 2, on: 1, unfenced: "its interrupts are off")
    try sleeper.finishHalt()
    try sleeper.enableInterrupts()
    try test.expect(1, of: 0x65, on: 1)
  }

  /// Between INIT and SIPI.
  static let snapshotInitReceived = Scenario(
    "snapshot.init", "A vCPU that waits for its start-up IPI is started by one after a restore", vcpus: 2,
    exercises: ["kvm_arch_vcpu_ioctl_get_mpstate", "kvm_arch_vcpu_ioctl_set_mpstate", "kvm_apic_accept_events"]
  ) { test in
    let (sender, target) = (test[vcpu: 0], test[vcpu: 1])
    try sender.send(.initialize(to: target.destination))
    try test.untilReset(1)
    let state = try test.hop()
    try test.check("its state", state.vcpus[1].mpState, equals: .initReceived)
    try test.check("starts of the agent on vCPU 1", try target.starts(), equals: 1)
    try test.stimulus { try sender.send(.startUp(page: 0x08, to: target.destination)) }
    try test.untilStarted(1, times: 2)
    try target.enableInterrupts()
    try sender.send(.interrupt(0x66, to: target.destination))
    try test.expect(1, of: 0x66, on: 1)
  }

  /// INIT and SIPI that no vCPU has seen yet.
  static let snapshotStartUpPending = Scenario(
    "snapshot.sipi-pending", "INIT and a start-up IPI that come while a vCPU stands still start it after a restore",
    vcpus: 2, exercises: ["kvm_apic_accept_events", "kvm_vcpu_deliver_sipi_vector", "KVM_GET_MP_STATE"]
  ) { test in
    let target = test[vcpu: 1].destination
    let state = try test.hop(whilePaused: {
      try test.stimulus {
        try test.signal(MSIMessage(vector: 0, destination: target, deliveryMode: .initialize))
        try test.signal(MSIMessage(vector: 0x08, destination: target, deliveryMode: .startUp))
      }
    })
    try test.check("where it begins", state.vcpus[1].specialRegisters.cs.selector, equals: 0x0800)
    try test.untilStarted(1, times: 2)
  }

  /// Never started.
  static let snapshotUninitialized = Scenario(
    "snapshot.uninitialized", "Application processors that were never started can be started after a restore",
    vcpus: 2, preparation: .bootstrapOnly,
    exercises: ["kvm_arch_vcpu_ioctl_set_mpstate", "kvm_apic_accept_events", "KVM_SET_MP_STATE"]
  ) { test in
    let state = try test.hop()
    try test.check("its state", state.vcpus[1].mpState, equals: .uninitialized)
    try test.stimulus { try test[vcpu: 0].startProcessors() }
    try test.until("the agent has started on it") { try test[vcpu: 1].starts() > 0 }
  }

  /// Ids of more than 8 bits.
  static let snapshotWideIDs = Scenario(
    "snapshot.wide-ids", "A vCPU with an x2APIC id above 255 keeps it, and what waits for it, over a restore",
    modes: [.x2APIC], vcpus: 3,
    exercises: ["kvm_apic_state_fixup", "kvm_recalculate_phys_map", "KVM_X2APIC_API_USE_32BIT_IDS"],
    configure: useWideIDs
  ) { test in
    try test[vcpu: 2].disableInterrupts()
    try test.stimulus { try test.signal(MSIMessage(vector: 0x74, destination: .physical(300))) }
    let state = try test.hop()
    try test.check("the ids", state.vcpus.map { $0.localAPIC.id(mode: .x2APIC) }, equals: [0, 44, 300])
    try test[vcpu: 2].enableInterrupts()
    try test.expect(1, of: 0x74, on: 2)
    try test[vcpu: 0].send(.interrupt(0x74, to: .physical(300)))
    try test.expect(2, of: 0x74, on: 2)
    try test[vcpu: 0].send(.interrupt(0x75, to: .x2APICLogical(id: 300)))
    try test.expect(1, of: 0x75, on: 2)
    for vcpu in [0, 1] { try test.expectNone(of: 0x74, on: vcpu) }
  }
}

/// The vAPIC word and TPR access reporting, which KVM is told of and does not tell back.
extension Scenario {
  /// The word's address, and the word.
  static let snapshotVAPIC = Scenario(
    "snapshot.vapic", "After a restore KVM takes the TPR from the vAPIC word, where it was told before", vcpus: 1,
    exercises: ["kvm_lapic_set_vapic_addr", "kvm_lapic_sync_from_vapic", "KVM_SET_VAPIC_ADDR"],
    needs: [.capability(.vapic)]
  ) { test in
    let address: UInt64 = 0x50_0000
    let vcpu = test[vcpu: 0]
    try vcpu.writeMemory(address, 0)
    try test.stimulus {
      try test.machine.withVCPUStopped(0) { vcpu throws(KVMError) in try vcpu.setVAPICAddress(address) }
    }
    for priority in [UInt8(0x30), 0x90, 0] {
      // KVM overwrites the word at an entry that evaluates interrupts, which a write can fall just before.
      try test.until("the local APIC takes the TPR \(Priority(rawValue: priority)) of the word over") {
        try vcpu.writeMemory(address, UInt32(priority))
        return try test.localAPICState(of: 0).taskPriority.rawValue == priority
      }
      let state = try test.hop()
      try test.check("the TPR in the state", state.vcpus[0].localAPIC.taskPriority.rawValue, equals: priority)
    }
    try test.signal(MSIMessage(vector: 0x8d, destination: vcpu.destination))
    try test.expect(1, of: 0x8d, on: 0)

  }

  /// TPR accesses that are reported.
  static let snapshotTPRReporting = Scenario(
    "snapshot.tpr-reporting", "Writes to the TPR are reported after a restore where they were before", modes: [.xAPIC],
    exercises: ["report_tpr_access", "kvm_vcpu_ioctl_tpr_access_reporting", "KVM_EXIT_TPR_ACCESS"],
    needs: [.capability(.vapic), .trait(.reportedTPRAccesses)],
    hooks: .answeringTPRWrites
  ) { test in
    let vcpu = test[vcpu: 0]
    try test.stimulus {
      try test.machine.withVCPUStopped(0) { vcpu throws(KVMError) in try vcpu.setTPRReporting(true) }
    }
    try test.hop()
    for (count, priority) in [UInt32(0x30), 0x50].enumerated() {
      try vcpu.write(.taskPriority, priority)
      try test.expect(count + 1, of: 2, on: 0, unfenced: "its task priority is above 0")
      try test.check("the TPR", try test.localAPICState(of: 0).taskPriority.rawValue, equals: UInt8(priority))
    }
    try test.machine.withVCPUStopped(0) { vcpu throws(KVMError) in try vcpu.setTPRReporting(false) }
    try test.hop()
    try vcpu.write(.taskPriority, 0)
    try test.expect(2, of: 2, on: 0)
  }
}
