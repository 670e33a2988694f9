import APIC
import KVM
import VMM

/// Delivery by hardware.
extension Scenario {
  /// That it is on at all.
  static let apicvActive = Scenario(
    "apicv.active", "With APICv, interrupts of a vCPU to itself are never injected by software",
    exercises: ["kvm_vcpu_apicv_activated", "vmx_hwapic_irr_update", "SDM 3C 31.2.2"], path: .virtualDelivery
  ) { stage in
    // Page tables of the handler, the log and the counters are touched before the evidence counts.
    try stage.load(0, rounds: 1)
    try stage[vcpu: 0].send(.toSelf(0x91))
    try stage.expect(1, of: 0x91, on: 0)
    try stage.stimulus {
      for count in 2...20 {
        try stage[vcpu: 0].send(.toSelf(0x91))
        try stage.until("the interrupt is taken") { stage.taken(0x91, on: 0) >= count }
      }
    }
    try stage.expect(20, of: 0x91, on: 0)
  }

  /// An IPI to a vCPU that does not leave the guest.
  static let apicvPostedIPI = Scenario(
    "apicv.posted.ipi", "An IPI to a running vCPU is posted: no injection", vcpus: 2,
    exercises: ["vmx_deliver_posted_interrupt", "kvm_vcpu_trigger_posted_interrupt", "SDM 3C 31.6"], path: .posted
  ) { stage in
    try stage.load(1, rounds: 1)
    try stage[vcpu: 1].spin(until: 0x92, reaches: 20)
    try stage.stimulus {
      for count in 1...20 {
        try stage[vcpu: 0].send(.interrupt(0x92, to: stage[vcpu: 1].destination))
        try stage.until("the IPI is taken") { stage.taken(0x92, on: 1) >= count }
      }
    }
    try stage.expect(20, of: 0x92, on: 1)
    try stage[vcpu: 1].finishSpin()
  }

  /// An MSI to a vCPU that does not leave the guest.
  static let apicvPostedMSI = Scenario(
    "apicv.posted.msi", "An MSI to a running vCPU is posted: no injection",
    exercises: ["vmx_deliver_posted_interrupt", "kvm_set_msi", "SDM 3C 31.6"], path: .posted
  ) { stage in
    try stage.load(0, rounds: 1)
    try stage[vcpu: 0].spin(until: 0x93, reaches: 20)
    try stage.stimulus {
      for count in 1...20 {
        try stage.signal(MSIMessage(vector: 0x93, destination: stage[vcpu: 0].destination))
        try stage.until("the MSI is taken") { stage.taken(0x93, on: 0) >= count }
      }
    }
    try stage.expect(20, of: 0x93, on: 0)
    try stage[vcpu: 0].finishSpin()
  }

  /// Into HLT.
  static let apicvWoken = Scenario(
    "apicv.woken", "An interrupt posted to a halted vCPU wakes it, and is not injected", vcpus: 2,
    exercises: ["pi_wakeup_handler", "vmx_deliver_posted_interrupt", "kvm_vcpu_wake_up"], path: .virtualDelivery
  ) { stage in
    try stage.load(1, rounds: 1)
    for count in 1...10 {
      try stage[vcpu: 1].halt()
      try stage.stimulus {
        if count.isMultiple(of: 2) {
          try stage[vcpu: 0].send(.interrupt(0x94, to: stage[vcpu: 1].destination))
        } else {
          try stage.signal(MSIMessage(vector: 0x94, destination: stage[vcpu: 1].destination))
        }
      }
      try stage.expect(count, of: 0x94, on: 1)
      try stage[vcpu: 1].finishHalt()
    }
  }

  /// To vCPUs that take turns on one processor, on hosts with APICv.
  static let apicvPreempted = Scenario(
    "apicv.preempted", "Interrupts posted to a vCPU that is preempted are delivered when it runs again", vcpus: 2,
    exercises: ["vmx_vcpu_pi_put", "vmx_vcpu_pi_load", "vmx_deliver_posted_interrupt"], path: .virtualDelivery,
    story: contend)

  /// The same on every host.
  static let apicvContended = Scenario(
    "apicv.contended", "Two vCPUs that share a processor of the host lose no interrupt", vcpus: 2,
    exercises: ["kvm_sched_out", "kvm_sched_in", "kvm_vcpu_kick"], story: contend)

  private static let contend: Story = { stage in
    for vcpu in 0..<2 { try stage.load(vcpu, rounds: 1) }
    try stage.check("the threads of both vCPUs share a processor", try stage.machine.shareProcessor([0, 1]))
    for vcpu in 0..<2 { try stage[vcpu: vcpu].spin(until: 0x95, reaches: 10) }
    try stage.stimulus {
      for count in 1...10 {
        for vcpu in 0..<2 {
          try stage.signal(MSIMessage(vector: 0x95, destination: stage[vcpu: vcpu].destination))
        }
        for vcpu in 0..<2 { try stage.until("vCPU \(vcpu) takes it") { stage.taken(0x95, on: vcpu) >= count } }
      }
    }
    for vcpu in 0..<2 {
      try stage.expect(10, of: 0x95, on: vcpu)
      try stage[vcpu: vcpu].finishSpin()
    }
  }

  /// What is posted and not yet taken.
  static let apicvPending = Scenario(
    "apicv.pir", "What is posted to a vCPU that holds interrupts off shows in the IRR of KVM_GET_LAPIC",
    exercises: ["vmx_sync_pir_to_irr", "kvm_arch_vcpu_ioctl_get_lapic", "KVM_GET_LAPIC"]
  ) { stage in
    try stage[vcpu: 0].disableInterrupts()
    try stage.stimulus {
      for vector in Stage.loadVectors {
        try stage.signal(MSIMessage(vector: vector, destination: stage[vcpu: 0].destination))
      }
    }
    let state = try stage.localAPICState(of: 0)
    for vector in Stage.loadVectors {
      try stage.check("\(vector) is in the IRR", state.interruptRequest.contains(vector), saw: state)
    }
    try stage[vcpu: 0].enableInterrupts()
    for vector in Stage.loadVectors { try stage.expect(1, of: vector, on: 0) }
  }
}
