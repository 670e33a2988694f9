import APIC
import KVM
import MachineState
import VMM

/// Interrupts that wait when the state is taken.
extension Scenario {
  /// Held off by the interrupt flag.
  static let snapshotPending = Scenario(
    "snapshot.pending", "Interrupts that wait in the IRR are taken once each after a restore, the highest first",
    vcpus: 2, exercises: ["kvm_apic_get_state", "kvm_apic_set_state", "apic_find_highest_irr", "KVM_SET_LAPIC"]
  ) { test in
    let vectors: [Vector] = [0x31, 0x82, 0xc5]
    for vcpu in test.vcpus { try vcpu.disableInterrupts() }
    try test.stimulus {
      for vcpu in test.vcpus {
        for vector in vectors { try test.signal(MSIMessage(vector: vector, destination: vcpu.destination)) }
      }
    }
    let state = try test.hop()
    for (index, vcpu) in state.vcpus.enumerated() {
      try test.check("the IRR of vCPU \(index)", vcpu.localAPIC.interruptRequest, equals: VectorSet(vectors))
    }
    for vcpu in 0..<2 {
      try test[vcpu: vcpu].enableInterrupts()
      for vector in vectors { try test.expect(1, of: vector, on: vcpu) }
      let order = try test.takenInOrder(3, of: 0x31, 0x82, 0xc5, on: vcpu).map(\.vector)
      try test.check("the order on vCPU \(vcpu)", order, equals: [0xc5, 0x82, 0x31])
    }
  }

  /// Sent when no vCPU can take them.
  static let snapshotPaused = Scenario(
    "snapshot.paused", "Interrupts that come while the vCPUs stand still are taken after a restore, running or halted",
    vcpus: 2, exercises: ["kvm_apic_set_irq", "kvm_apic_get_state", "kvm_vcpu_has_events", "KVM_GET_LAPIC"]
  ) { test in
    try test[vcpu: 1].halt()
    try test.hop(whilePaused: {
      try test.stimulus {
        for vcpu in test.vcpus { try test.signal(MSIMessage(vector: 0x71, destination: vcpu.destination)) }
      }
    })
    for vcpu in 0..<2 { try test.expect(1, of: 0x71, on: vcpu) }
    try test[vcpu: 1].finishHalt()
  }

  /// Held off by the task priority.
  static let snapshotPriority = Scenario(
    "snapshot.priority", "A task priority that holds an interrupt off does so after a restore until it is lowered",
    exercises: ["apic_update_ppr", "kvm_apic_set_state", "kvm_set_cr8", "KVM_SET_SREGS"]
  ) { test in
    let vcpu = test[vcpu: 0]
    // A class alone: AMD's processors keep a guest's task priority as CR8 has it, so KVM loses the subclass there.
    try vcpu.write(.taskPriority, 0x80)
    try test.stimulus { try test.signal(MSIMessage(vector: 0x71, destination: vcpu.destination)) }
    try test.hop()
    try test.expectHeld(0x71, on: 0, by: "the task priority")
    try test.check("the TPR that the guest reads", try vcpu.read(.taskPriority), equals: 0x80)
    try test.check("CR8 that the guest reads", try vcpu.readCR8(), equals: 8)
    try vcpu.write(.taskPriority, 0)
    try test.expect(1, of: 0x71, on: 0)
  }

  /// All of a task priority.
  static let snapshotSubclass = Scenario(
    "snapshot.subclass", "The subclass of a task priority is there after a restore",
    exercises: ["kvm_apic_set_state", "kvm_set_cr8", "KVM_SET_SREGS"], needs: [.trait(.taskPrioritySubclass)]
  ) { test in
    let vcpu = test[vcpu: 0]
    try test.stimulus { try vcpu.write(.taskPriority, 0x83) }
    let state = try test.hop()
    try test.check("the TPR of the state", state.vcpus[0].localAPIC.taskPriority, equals: 0x83)
    try test.check("the TPR that the guest reads", try vcpu.read(.taskPriority), equals: 0x83)
  }

  /// In the middle of its delivery.
  static let snapshotInjected = Scenario(
    "snapshot.injected", "An interrupt whose delivery has begun is delivered once after a restore",
    exercises: ["kvm_vcpu_ioctl_x86_get_vcpu_events", "kvm_reinject", "KVM_SET_VCPU_EVENTS"]
  ) { test in
    try test[vcpu: 0].handle(0x88, [])
    let state = try test.hop(whilePaused: {
      try test.stimulus {
        try test.machine.withVCPUStopped(0) { vcpu throws(KVMError) in
          var events = try vcpu.events()
          events.interrupt.injected = true
          events.interrupt.number = 0x88
          try vcpu.setEvents(events)
        }
      }
    })
    try test.check("its delivery has begun", state.vcpus[0].events.interrupt.injected)
    try test.expect(1, of: 0x88, on: 0)
  }

  /// Posted, which is a place of its own besides the IRR.
  static let snapshotPosted = Scenario(
    "snapshot.pir", "What is posted to a vCPU out of the guest is in its IRR, and is taken once after a restore",
    exercises: ["vmx_sync_pir_to_irr", "vmx_deliver_posted_interrupt", "kvm_apic_get_state", "KVM_GET_LAPIC"],
    needs: [.feature(.postedInterrupts)]
  ) { test in
    let vectors = TestContext.loadVectors
    let state = try test.hop(whilePaused: {
      try test.stimulus {
        for vector in vectors {
          try test.signal(MSIMessage(vector: vector, destination: test[vcpu: 0].destination))
        }
      }
    })
    try test.check("the IRR", state.vcpus[0].localAPIC.interruptRequest, equals: VectorSet(vectors))
    for vector in vectors { try test.expect(1, of: vector, on: 0) }
  }
}
