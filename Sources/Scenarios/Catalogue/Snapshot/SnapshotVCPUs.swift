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
  ) { stage in
    try stage[vcpu: 1].halt()
    let state = try stage.hop()
    try stage.check("its state", state.vcpus[1].mpState, equals: .halted)
    try stage.untilHalted(1)
    try stage.check("it still halts", try !stage[vcpu: 1].isIdle())
    try stage.stimulus { try stage.signal(MSIMessage(vector: 0x71, destination: stage[vcpu: 1].destination)) }
    try stage.expect(1, of: 0x71, on: 1)
    try stage[vcpu: 1].finishHalt()
  }

  /// In HLT with interrupts held off.
  static let snapshotHaltedMasked = Scenario(
    "snapshot.halted-masked", "A vCPU that halts with interrupts off and one waiting stays halted over a restore",
    vcpus: 2, exercises: ["kvm_arch_vcpu_ioctl_set_mpstate", "kvm_vcpu_has_events", "kvm_arch_interrupt_allowed"]
  ) { stage in
    let sleeper = stage[vcpu: 1]
    try sleeper.disableInterrupts()
    try sleeper.haltMasked()
    try stage.stimulus { try stage.signal(MSIMessage(vector: 0x65, destination: sleeper.destination)) }
    try stage.hop()
    try stage.untilHalted(1)
    try stage.check("it still halts", try !sleeper.isIdle())
    try stage.expectNone(of: 0x65, on: 1)
    try stage.machine.outside(1) { vcpu throws(KVMError) in try vcpu.nmi() }
    try stage.expect(1, of: 2, on: 1)
    try sleeper.finishHalt()
    try sleeper.enableInterrupts()
    try stage.expect(1, of: 0x65, on: 1)
  }

  /// Between INIT and SIPI.
  static let snapshotInitReceived = Scenario(
    "snapshot.init", "A vCPU that waits for its start-up IPI is started by one after a restore", vcpus: 2,
    exercises: ["kvm_arch_vcpu_ioctl_get_mpstate", "kvm_arch_vcpu_ioctl_set_mpstate", "kvm_apic_accept_events"]
  ) { stage in
    let (sender, target) = (stage[vcpu: 0], stage[vcpu: 1])
    try sender.send(.initialize(to: target.destination))
    try stage.untilReset(1)
    let state = try stage.hop()
    try stage.check("its state", state.vcpus[1].mpState, equals: .initReceived)
    try stage.check("starts of the agent on vCPU 1", try target.starts(), equals: 1)
    try stage.stimulus { try sender.send(.startUp(page: 0x08, to: target.destination)) }
    try stage.untilStarted(1, times: 2)
    try target.enableInterrupts()
    try sender.send(.interrupt(0x66, to: target.destination))
    try stage.expect(1, of: 0x66, on: 1)
  }

  /// INIT and SIPI that no vCPU has seen yet.
  static let snapshotStartUpPending = Scenario(
    "snapshot.sipi-pending", "INIT and a start-up IPI that come while a vCPU stands still start it after a restore",
    vcpus: 2, exercises: ["kvm_apic_accept_events", "kvm_vcpu_deliver_sipi_vector", "KVM_GET_MP_STATE"]
  ) { stage in
    let target = stage[vcpu: 1].destination
    let state = try stage.hop(whilePaused: {
      try stage.stimulus {
        try stage.signal(MSIMessage(vector: 0, destination: target, deliveryMode: .initialize))
        try stage.signal(MSIMessage(vector: 0x08, destination: target, deliveryMode: .startUp))
      }
    })
    try stage.check("where it begins", state.vcpus[1].specialRegisters.cs.selector, equals: 0x0800)
    try stage.untilStarted(1, times: 2)
  }

  /// Never started.
  static let snapshotUninitialized = Scenario(
    "snapshot.uninitialized", "Application processors that were never started can be started after a restore",
    vcpus: 2, preparation: .bootstrapOnly,
    exercises: ["kvm_arch_vcpu_ioctl_set_mpstate", "kvm_apic_accept_events", "KVM_SET_MP_STATE"]
  ) { stage in
    let state = try stage.hop()
    try stage.check("its state", state.vcpus[1].mpState, equals: .uninitialized)
    try stage.stimulus { try stage[vcpu: 0].startProcessors() }
    try stage.until("the agent has started on it") { try stage[vcpu: 1].starts() > 0 }
  }

  /// Ids of more than 8 bits.
  static let snapshotWideIDs = Scenario(
    "snapshot.wide-ids", "A vCPU with an x2APIC id above 255 keeps it, and what waits for it, over a restore",
    modes: [.x2APIC], vcpus: 3,
    exercises: ["kvm_apic_state_fixup", "kvm_recalculate_phys_map", "KVM_X2APIC_API_USE_32BIT_IDS"],
    configure: useWideIDs
  ) { stage in
    try stage[vcpu: 2].disableInterrupts()
    try stage.stimulus { try stage.signal(MSIMessage(vector: 0x74, destination: .physical(300))) }
    let state = try stage.hop()
    try stage.check("the ids", state.vcpus.map { $0.localAPIC.id(mode: .x2APIC) }, equals: [0, 44, 300])
    try stage[vcpu: 2].enableInterrupts()
    try stage.expect(1, of: 0x74, on: 2)
    try stage[vcpu: 0].send(.interrupt(0x74, to: .physical(300)))
    try stage.expect(2, of: 0x74, on: 2)
    try stage[vcpu: 0].send(.interrupt(0x75, to: .x2APICLogical(id: 300)))
    try stage.expect(1, of: 0x75, on: 2)
    for vcpu in [0, 1] { try stage.expectNone(of: 0x74, on: vcpu) }
  }
}
