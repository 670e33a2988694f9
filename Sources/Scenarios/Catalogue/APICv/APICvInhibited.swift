import APIC
import KVM
import VMM

/// APICv turned off and on again (shared by all reasons: see `APICvInhibit`).
extension Scenario {
  /// On every host: interrupts keep coming.
  static let apicvSwitched: [Scenario] = APICvInhibit.all.map { inhibit in
    Scenario(
      "apicv.inhibit.\(inhibit.name)", "No interrupt is lost or doubled while \(inhibit.title)",
      modes: inhibit.modes, vcpus: 3,
      exercises: ["kvm_set_or_clear_apicv_inhibit", inhibit.reason, "kvm_vcpu_update_apicv"], needs: inhibit.needs
    ) { stage in
      try stage.load(0, rounds: 4) { round in
        if round == 1 { try stage.stimulus { try inhibit.set(stage) } }
        guard round == 2 else { return }
        try stage.check("the reason \(inhibit.reason) is there", try inhibit.isSet(stage))
      }
      try stage.clear(inhibit)
      try stage.load(0, rounds: 2)
    }
  }

  /// The same with interrupts on their way when the reason ends.
  static let apicvReleased: [Scenario] = APICvInhibit.all.filter { $0.clear != nil }.map { inhibit in
    Scenario(
      "apicv.release.\(inhibit.name)", "No interrupt is lost or doubled when it ends that \(inhibit.title)",
      modes: inhibit.modes, vcpus: 3,
      exercises: ["kvm_set_or_clear_apicv_inhibit", inhibit.reason, "kvm_vcpu_update_apicv"],
      needs: inhibit.needs + [.trait(.serviceThroughActivation)]
    ) { stage in
      try stage.load(0, rounds: 4) { round in
        if round.isMultiple(of: 2) { return try stage.stimulus { try inhibit.set(stage) } }
        try stage.check("the reason \(inhibit.reason) is there", try inhibit.isSet(stage))
        try inhibit.clear?(stage)
      }
      try stage.load(0, rounds: 1)
    }
  }

  /// A handler that APICv comes back to.
  static let apicvInService = Scenario(
    "apicv.in-service", "An interrupt in service when APICv comes back is no longer so after its EOI", vcpus: 2,
    exercises: ["kvm_vcpu_update_apicv", "vmx_hwapic_isr_update", "SDM 3C 31.1.4"],
    needs: [.feature(.blockIRQ), .trait(.serviceThroughActivation)]
  ) { stage in
    let vcpu = stage[vcpu: 0]
    try vcpu.handle(0x93, [.holds, .acknowledges])
    try APICvInhibit.blockIRQ.set(stage)
    try stage.stimulus { try stage.signal(MSIMessage(vector: 0x93, destination: vcpu.destination)) }
    try stage.expectAtLeast(1, of: 0x93, on: 0)
    try APICvInhibit.blockIRQ.clear?(stage)
    // It enters the guest with APICv before the handler goes on.
    try stage.machine.outside(0) { _ in }
    try vcpu.openGate()
    try stage.check("the ISR", try vcpu.readVectors(.inService), equals: [])
    try stage.signal(MSIMessage(vector: 0x41, destination: vcpu.destination))
    try stage.expect(1, of: 0x41, on: 0)
  }

  /// On hosts with APICv: with a reason to do without, KVM injects.
  static let apicvInhibited: [Scenario] = APICvInhibit.all.map { inhibit in
    Scenario(
      "apicv.off.\(inhibit.name)", "KVM injects interrupts by software while \(inhibit.title)",
      modes: inhibit.modes, vcpus: 3,
      exercises: ["kvm_set_or_clear_apicv_inhibit", inhibit.reason, "vmx_refresh_apicv_exec_ctrl"],
      needs: [.feature(.apicv)] + inhibit.needs, path: .software
    ) { stage in
      try inhibit.set(stage)
      try stage.load(0, rounds: 1)
      try stage.checkInhibitEvent(isSet: true)
      try stage.stimulus { try stage.signal(MSIMessage(vector: 0x97, destination: stage[vcpu: 0].destination)) }
      try stage.expect(1, of: 0x97, on: 0)
    }
  }

  /// On hosts with APICv: without the reason KVM goes back.
  static let apicvRestored: [Scenario] = APICvInhibit.all.filter { $0.clear != nil }.map(apicvRestored)

  /// The same for one reason.
  static func apicvRestored(_ inhibit: APICvInhibit) -> Scenario {
    Scenario(
      "apicv.on.\(inhibit.name)", "The hardware delivers interrupts again after \(inhibit.title)",
      modes: inhibit.modes, vcpus: 3,
      exercises: ["kvm_set_or_clear_apicv_inhibit", inhibit.reason, "vmx_refresh_apicv_exec_ctrl"],
      needs: inhibit.needs + inhibit.needsToEnd, path: .virtualDelivery
    ) { stage in
      try inhibit.set(stage)
      try stage.load(0, rounds: 1)
      try stage.clear(inhibit)
      try stage.load(0, rounds: 1)
      try stage.checkInhibitEvent(isSet: false)
      try stage.stimulus { try stage.signal(MSIMessage(vector: 0x98, destination: stage[vcpu: 0].destination)) }
      try stage.expect(1, of: 0x98, on: 0)
    }
  }

  /// The blocked vCPU's own interrupts.
  static let apicvBlocked = Scenario(
    "apicv.blocked", "Interrupts that come while a debugger blocks them are delivered once it does not",
    exercises: ["kvm_arch_vcpu_ioctl_set_guest_debug", "kvm_check_and_inject_events", "KVM_GUESTDBG_BLOCKIRQ"],
    needs: [.feature(.blockIRQ)]
  ) { stage in
    try stage.machine.outside(0) { vcpu throws(KVMError) in try vcpu.setGuestDebug([.enable, .blockIRQ]) }
    for vector in Stage.loadVectors {
      try stage.signal(MSIMessage(vector: vector, destination: stage[vcpu: 0].destination))
    }
    _ = try stage[vcpu: 0].readTSC()
    for vector in Stage.loadVectors { try stage.expectNone(of: vector, on: 0) }
    try stage.stimulus { try stage.machine.outside(0) { vcpu throws(KVMError) in try vcpu.setGuestDebug([]) } }
    for vector in Stage.loadVectors { try stage.expect(1, of: vector, on: 0) }
  }
}
