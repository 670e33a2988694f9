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
    ) { test in
      try test.load(0, rounds: 4) { round in
        if round == 1 { try test.stimulus { try inhibit.set(test) } }
        guard round == 2 else { return }
        try test.check("the reason \(inhibit.reason) is there", try inhibit.isSet(test))
      }
      try test.clear(inhibit)
      try test.load(0, rounds: 2)
    }
  }

  /// The same with interrupts on their way when the reason ends.
  static let apicvReleased: [Scenario] = APICvInhibit.all.filter { $0.clear != nil }.map { inhibit in
    Scenario(
      "apicv.release.\(inhibit.name)", "No interrupt is lost or doubled when it ends that \(inhibit.title)",
      modes: inhibit.modes, vcpus: 3,
      exercises: ["kvm_set_or_clear_apicv_inhibit", inhibit.reason, "kvm_vcpu_update_apicv"],
      needs: inhibit.needs + [.trait(.serviceThroughActivation)]
    ) { test in
      try test.load(0, rounds: 4) { round in
        if round.isMultiple(of: 2) { return try test.stimulus { try inhibit.set(test) } }
        try test.check("the reason \(inhibit.reason) is there", try inhibit.isSet(test))
        try inhibit.clear?(test)
      }
      try test.load(0, rounds: 1)
    }
  }

  /// A handler that APICv comes back to.
  static let apicvInService = Scenario(
    "apicv.in-service", "An interrupt in service when APICv comes back is no longer so after its EOI", vcpus: 2,
    exercises: ["kvm_vcpu_update_apicv", "vmx_hwapic_isr_update", "SDM 3C 31.1.4"],
    needs: [.feature(.blockIRQ), .trait(.serviceThroughActivation)]
  ) { test in
    let vcpu = test[vcpu: 0]
    try vcpu.handle(0x93, [.holds, .acknowledges])
    try APICvInhibit.blockIRQ.set(test)
    try test.stimulus { try test.signal(MSIMessage(vector: 0x93, destination: vcpu.destination)) }
    try test.expectAtLeast(1, of: 0x93, on: 0)
    try APICvInhibit.blockIRQ.clear?(test)
    // It enters the guest with APICv before the handler goes on.
    try test.machine.withVCPUStopped(0) { _ in }
    try vcpu.openGate()
    let inService = try vcpu.readVectors(.inService)
    try test.deciding(.serviceThroughActivation) { try test.check("the ISR", inService, equals: []) }
    try test.signal(MSIMessage(vector: 0x41, destination: vcpu.destination))
    try test.expect(1, of: 0x41, on: 0)
  }

  /// On hosts with APICv: with a reason to do without, KVM injects.
  static let apicvInhibited: [Scenario] = APICvInhibit.all.map { inhibit in
    Scenario(
      "apicv.off.\(inhibit.name)", "KVM injects interrupts by software while \(inhibit.title)",
      modes: inhibit.modes, vcpus: 3,
      exercises: ["kvm_set_or_clear_apicv_inhibit", inhibit.reason, "vmx_refresh_apicv_exec_ctrl"],
      needs: [.feature(.apicv)] + inhibit.needs, path: .software
    ) { test in
      try inhibit.set(test)
      try test.load(0, rounds: 1)
      try test.checkInhibitEvent(isSet: true)
      try test.stimulus { try test.signal(MSIMessage(vector: 0x97, destination: test[vcpu: 0].destination)) }
      try test.expect(1, of: 0x97, on: 0)
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
    ) { test in
      try inhibit.set(test)
      try test.load(0, rounds: 1)
      try test.clear(inhibit)
      try test.load(0, rounds: 1)
      try test.checkInhibitEvent(isSet: false)
      try test.stimulus { try test.signal(MSIMessage(vector: 0x98, destination: test[vcpu: 0].destination)) }
      try test.expect(1, of: 0x98, on: 0)
    }
  }

  /// The blocked vCPU's own interrupts.
  static let apicvBlocked = Scenario(
    "apicv.blocked", "Interrupts that come while a debugger blocks them are delivered once it does not",
    exercises: ["kvm_arch_vcpu_ioctl_set_guest_debug", "kvm_check_and_inject_events", "KVM_GUESTDBG_BLOCKIRQ"],
    needs: [.feature(.blockIRQ)]
  ) { test in
    try test.machine.withVCPUStopped(0) { vcpu throws(KVMError) in try vcpu.setGuestDebug([.enable, .blockIRQ]) }
    for vector in TestContext.loadVectors {
      try test.signal(MSIMessage(vector: vector, destination: test[vcpu: 0].destination))
    }
    for vector in TestContext.loadVectors { try test.expectHeld(vector, on: 0, by: "KVM_GUESTDBG_BLOCKIRQ") }
    try test.stimulus { try test.machine.withVCPUStopped(0) { vcpu throws(KVMError) in try vcpu.setGuestDebug([]) } }
    for vector in TestContext.loadVectors { try test.expect(1, of: vector, on: 0) }
  }
}
