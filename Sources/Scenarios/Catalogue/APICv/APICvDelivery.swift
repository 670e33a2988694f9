import APIC
import KVM
import VMM

/// Delivery by hardware.
extension Scenario {
  /// That it is on at all.
  static let apicvActive = Scenario(
    "apicv.active", "With APICv, interrupts of a vCPU to itself are never injected by software",
    exercises: ["kvm_vcpu_apicv_activated", "vmx_hwapic_irr_update", "SDM 3C 31.2.2"], path: .virtualDelivery
  ) { test in
    // Page tables of the handler, the log and the counters are touched before the evidence counts.
    try test.load(0, rounds: 1)
    try test[vcpu: 0].send(.toSelf(0x91))
    try test.expect(1, of: 0x91, on: 0)
    try test.stimulus {
      for count in 2...20 {
        try test[vcpu: 0].send(.toSelf(0x91))
        try test.until("the interrupt is taken") { test.taken(0x91, on: 0) >= count }
      }
    }
    try test.expect(20, of: 0x91, on: 0)
  }

  /// An IPI to a vCPU that does not leave the guest.
  static let apicvPostedIPI = Scenario(
    "apicv.posted.ipi", "An IPI to a running vCPU is posted: no injection", vcpus: 2,
    exercises: ["vmx_deliver_posted_interrupt", "kvm_vcpu_trigger_posted_interrupt", "SDM 3C 31.6"], path: .posted
  ) { test in
    try test.warmUp(1, from: 0)
    try test[vcpu: 1].spin(until: 0x92, reaches: 20)
    try test.stimulus { try test.sendToRunning(.interrupt(0x92, to: test[vcpu: 1].destination), from: 0, times: 20) }
    try test.expect(20, of: 0x92, on: 1)
    try test[vcpu: 1].finishSpin()
  }

  /// An MSI to a vCPU that does not leave the guest.
  static let apicvPostedMSI = Scenario(
    "apicv.posted.msi", "An MSI to a running vCPU is posted: no injection",
    exercises: ["vmx_deliver_posted_interrupt", "kvm_set_msi", "SDM 3C 31.6"], path: .posted
  ) { test in
    try test.load(0, rounds: 1)
    try test[vcpu: 0].spin(until: 0x93, reaches: 20)
    try test.stimulus {
      for count in 1...20 {
        try test.signal(MSIMessage(vector: 0x93, destination: test[vcpu: 0].destination))
        try test.until("the MSI is taken") { test.taken(0x93, on: 0) >= count }
      }
    }
    try test.expect(20, of: 0x93, on: 0)
    try test[vcpu: 0].finishSpin()
  }

  /// Into HLT.
  static let apicvWoken = Scenario(
    "apicv.woken", "An interrupt posted to a halted vCPU wakes it, and is not injected", vcpus: 2,
    exercises: ["pi_wakeup_handler", "vmx_deliver_posted_interrupt", "kvm_vcpu_wake_up"], path: .virtualDelivery
  ) { test in
    try test.load(1, rounds: 1)
    for count in 1...10 {
      try test[vcpu: 1].halt()
      try test.stimulus {
        if count.isMultiple(of: 2) {
          try test[vcpu: 0].send(.interrupt(0x94, to: test[vcpu: 1].destination))
        } else {
          try test.signal(MSIMessage(vector: 0x94, destination: test[vcpu: 1].destination))
        }
      }
      try test.expect(count, of: 0x94, on: 1)
      try test[vcpu: 1].finishHalt()
    }
  }

  /// To vCPUs that take turns on one processor, on hosts with APICv.
  static let apicvPreempted = Scenario(
    "apicv.preempted", "Interrupts posted to a vCPU that is preempted are delivered when it runs again", vcpus: 2,
    exercises: ["vmx_vcpu_pi_put", "vmx_vcpu_pi_load", "vmx_deliver_posted_interrupt"], path: .virtualDelivery,
    body: contend)

  /// The same on every host.
  static let apicvContended = Scenario(
    "apicv.contended", "Two vCPUs that share a processor of the host lose no interrupt", vcpus: 2,
    exercises: ["kvm_sched_out", "kvm_sched_in", "kvm_vcpu_kick"], body: contend)

  private static let contend: Body = { test in
    for vcpu in 0..<2 { try test.load(vcpu, rounds: 1) }
    try test.check("the threads of both vCPUs share a processor", try test.machine.shareProcessor([0, 1]))
    for vcpu in 0..<2 { try test[vcpu: vcpu].spin(until: 0x95, reaches: 10) }
    try test.stimulus {
      for count in 1...10 {
        for vcpu in 0..<2 {
          try test.signal(MSIMessage(vector: 0x95, destination: test[vcpu: vcpu].destination))
        }
        for vcpu in 0..<2 { try test.until("vCPU \(vcpu) takes it") { test.taken(0x95, on: vcpu) >= count } }
      }
    }
    for vcpu in 0..<2 {
      try test.expect(10, of: 0x95, on: vcpu)
      try test[vcpu: vcpu].finishSpin()
    }
  }

  /// What is posted and not yet taken.
  static let apicvPending = Scenario(
    "apicv.pir", "What is posted to a vCPU that holds interrupts off shows in the IRR of KVM_GET_LAPIC",
    exercises: ["vmx_sync_pir_to_irr", "kvm_arch_vcpu_ioctl_get_lapic", "KVM_GET_LAPIC"]
  ) { test in
    try test[vcpu: 0].disableInterrupts()
    try test.stimulus {
      for vector in TestContext.loadVectors {
        try test.signal(MSIMessage(vector: vector, destination: test[vcpu: 0].destination))
      }
    }
    let state = try test.localAPICState(of: 0)
    for vector in TestContext.loadVectors {
      try test.check("\(vector) is in the IRR", state.interruptRequest.contains(vector), saw: state)
    }
    try test[vcpu: 0].enableInterrupts()
    for vector in TestContext.loadVectors { try test.expect(1, of: vector, on: 0) }
  }
}

/// Sources of interrupts other than messages.
extension Scenario {
  /// The local APIC's own timer, whose expiry the kernel hands to the hardware like any other interrupt.
  static let apicvTimer = Scenario(
    "apicv.timer", "With APICv, a timer that expires while its vCPU runs is delivered without an injection",
    exercises: ["apic_timer_expired", "kvm_apic_inject_pending_timer_irqs", "vmx_deliver_interrupt"],
    path: .virtualDelivery
  ) { test in
    let vcpu = test[vcpu: 0]
    try test.load(0, rounds: 1)
    try vcpu.setTimer(0x9b)
    try test.stimulus {
      for count in 1...10 {
        try vcpu.startTimer(count: 100_000)
        try test.until("expiry \(count) is taken") { test.taken(0x9b, on: 0) >= count }
      }
    }
    try test.expect(10, of: 0x9b, on: 0)
  }

  /// The EOI-exit bitmap has the vectors of level-triggered pins alone.
  static let apicvEOIExit = Scenario(
    "apicv.eoi-exit",
    "With APICv, the EOI of a level-triggered interrupt leaves the guest, and that of an edge does not",
    exercises: ["vcpu_load_eoi_exitmap", "vmx_load_eoi_exitmap", "handle_apic_eoi_induced", "SDM 3C 31.1.4"],
    needs: [.feature(.apicv)]
  ) { test in
    let rounds = 20
    try test[vcpu: 0].handle(0x9d, [.acknowledges])
    try test.load(0, rounds: 1)
    let edges = try test.exitsForEOIs(rounds, of: 0x9c, pin: 20, .edge)
    var levels: UInt64 = 0
    try test.stimulus { levels = try test.exitsForEOIs(rounds, of: 0x9d, pin: 21, .level) }
    test.note("exits for \(rounds) edges", edges)
    test.note("exits for \(rounds) levels", levels)
    try test.check("next to no exits for edges", edges < UInt64(rounds / 2), saw: edges)
    try test.check("an exit for each level interrupt", levels >= UInt64(rounds), saw: levels)
    try test.check("remote IRR is clear", try !test.redirection(pin: 21).remoteIRR)
  }
}

extension TestContext {
  /// Has a line interrupt vCPU 0 so many times, and counts the exits that its own doing causes meanwhile.
  fileprivate func exitsForEOIs(
    _ rounds: Int, of vector: Vector, pin: Int, _ trigger: TriggerMode
  ) throws -> UInt64 {
    try setRedirection(
      pin: pin, RedirectionEntry(vector: vector, destination: self[vcpu: 0].destination, triggerMode: trigger))
    // What is touched for the first time is not counted.
    try pulse(UInt32(pin), vector)
    try fence(0)
    let before = try statistics[0].read()
    for _ in 0..<rounds { try pulse(UInt32(pin), vector) }
    let change = try statistics[0].read().delta(since: before)
    guard let exits = change["exits"] else { throw ScenarioFailure("this kernel does not count exits") }
    return exits - min(exits, change["irq_exits"] ?? 0)
  }

  private func pulse(_ pin: UInt32, _ vector: Vector) throws {
    let count = taken(vector, on: 0)
    try setLine(pin, to: true)
    try until("the line's interrupt is taken") { taken(vector, on: 0) > count }
    try setLine(pin, to: false)
  }
}
