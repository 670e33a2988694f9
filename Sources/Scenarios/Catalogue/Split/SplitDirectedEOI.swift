import APIC
import KVM
import VMM

/// EOIs that are not broadcast to IOAPICs (SDM volume 3A, section 12.8.5).
extension Scenario {
  /// Suppression that the owner allows and the guest uses.
  static let splitDirectedEOI = Scenario(
    "split.directed-eoi",
    "Where EOI broadcasts are suppressed, only the IOAPIC's own EOI register ends a level interrupt",
    modes: [.x2APIC],
    exercises: ["kvm_ioapic_send_eoi", "kvm_lapic_suppress_eoi_broadcast", "KVM_CAP_X2APIC_API", "SDM 3A 12.8.5"],
    needs: [.feature(.suppressEOIBroadcast)],
    hooks: MachineHooks(prepare: { vm throws(KVMError) in
      try vm.enableX2APICAPI([.use32BitIDs, .disableBroadcastQuirk, .enableSuppressEOIBroadcast])
    }),
    configure: useSplitIRQChip
  ) { test in
    let vcpu = test[vcpu: 0]
    let version = LocalAPICVersion(rawValue: try vcpu.read(.version))
    try test.check("the local APIC can suppress EOI broadcasts", version.supportsEOIBroadcastSuppression)
    try test.setRedirection(
      pin: 11, RedirectionEntry(vector: 0x76, destination: vcpu.destination, triggerMode: .level))
    try test.stimulus {
      try vcpu.write(.spurious, SpuriousInterruptVectorRegister(suppressesEOIBroadcast: true).rawValue)
    }
    try test.setLine(11, to: true)
    try test.expect(1, of: 0x76, on: 0)
    try test.fence(0)
    try test.check("remote IRR outlasts the local EOI", try test.redirection(pin: 11).remoteIRR)
    try vcpu.writeMemory(IOAPIC.defaultAddress + IOAPIC.endOfInterruptOffset, 0x76)
    try test.expect(2, of: 0x76, on: 0)
    try test.setLine(11, to: false)
    try vcpu.writeMemory(IOAPIC.defaultAddress + IOAPIC.endOfInterruptOffset, 0x76)
    try test.check("remote IRR is clear", try !test.redirection(pin: 11).remoteIRR)
    try test.expect(2, of: 0x76, on: 0)
  }

  /// Suppression that the owner does not allow.
  static let splitBroadcastEOI = Scenario(
    "split.broadcast-eoi", "Where the owner forbids it, no local APIC suppresses EOI broadcasts", modes: [.x2APIC],
    exercises: ["kvm_apic_set_version", "kvm_ioapic_send_eoi", "KVM_CAP_X2APIC_API"],
    needs: [.feature(.suppressEOIBroadcast)],
    hooks: MachineHooks(prepare: { vm throws(KVMError) in
      try vm.enableX2APICAPI([.use32BitIDs, .disableBroadcastQuirk, .disableSuppressEOIBroadcast])
    }),
    configure: useSplitIRQChip
  ) { test in
    let vcpu = test[vcpu: 0]
    let version = LocalAPICVersion(rawValue: try vcpu.read(.version))
    try test.check("the local APIC cannot suppress EOI broadcasts", !version.supportsEOIBroadcastSuppression)
    try vcpu.handle(0x77, [.lowers, .acknowledges], parameter: 11)
    try test.setRedirection(
      pin: 11, RedirectionEntry(vector: 0x77, destination: vcpu.destination, triggerMode: .level))
    try vcpu.write(.spurious, SpuriousInterruptVectorRegister(suppressesEOIBroadcast: true).rawValue)
    try test.stimulus { try test.setLine(11, to: true) }
    try test.expectAtLeast(1, of: 0x77, on: 0)
    try test.until("the EOI has come") { try !test.redirection(pin: 11).remoteIRR }
  }
}
