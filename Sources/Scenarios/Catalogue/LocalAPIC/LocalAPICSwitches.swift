import APIC
import KVM
import VMM

extension Scenario {
  /// The software switch in the SVR.
  static let lapicSoftwareDisable = Scenario(
    "lapic.software-disable", "Software-disabled, a local APIC masks its LVT and keeps what is pending",
    exercises: ["apic_set_spiv", "kvm_lapic_reg_write", "SDM 3A 12.4.7.2"]
  ) { test in
    let vcpu = test[vcpu: 0]
    let entries: [LocalAPICRegister] = [.lvtTimer, .lvtThermal, .lvtPerformance, .lvtLINT1, .lvtError]
    func areMasked() throws -> Bool {
      try entries.allSatisfy { LVTEntry(rawValue: try vcpu.read($0)).isMasked }
    }
    try vcpu.disableInterrupts()
    for entry in entries { try vcpu.write(entry, LVTEntry.pin(0x41).rawValue) }
    try vcpu.send(.toSelf(0x54))
    try test.stimulus {
      try vcpu.write(.spurious, SpuriousInterruptVectorRegister(isSoftwareEnabled: false).rawValue)
    }
    try test.check("every LVT entry is masked", try areMasked())
    for entry in entries { try vcpu.write(entry, LVTEntry.pin(0x41).rawValue) }
    try test.check("none can be unmasked", try areMasked())
    try test.check("the IRR", try vcpu.readVectors(.interruptRequest), equals: VectorSet([0x54]))
    try vcpu.write(.spurious, SpuriousInterruptVectorRegister().rawValue)
    try test.check("they stay masked when it is enabled again", try areMasked())
    try vcpu.enableInterrupts()
    try test.expect(1, of: 0x54, on: 0)
  }

  /// The registers in another page.
  static let lapicMoved = Scenario(
    "lapic.moved", "When IA32_APIC_BASE is moved, the registers are at the new address only", modes: [.xAPIC],
    exercises: ["kvm_lapic_set_base", "apic_mmio_in_range", "APICV_INHIBIT_REASON_APIC_BASE_MODIFIED", "SDM 3A 12.4.5"]
  ) { test in
    let vcpu = test[vcpu: 0]
    let moved: UInt64 = 0xfed0_0000
    func address(_ register: LocalAPICRegister) -> UInt64 { moved + UInt64(register.rawValue) }
    let version = try vcpu.read(.version)
    // The agent's own EOI goes to the old address.
    try vcpu.handle(0x55, [])
    try test.stimulus {
      try vcpu.writeMSR(MSR.apicBase, APICBase(address: moved, isBootstrapProcessor: true).rawValue)
    }
    try test.check("the version at the new address", try vcpu.readMemory(address(.version)), equals: version)
    try test.check("nothing answers at the old one", try vcpu.read(.version) != version)
    try vcpu.writeMemory(address(.interruptCommand), InterruptCommand.toSelf(0x55).xAPICLow)
    try test.expect(1, of: 0x55, on: 0, unfenced: "it is in service")
    try vcpu.writeMemory(address(.endOfInterrupt), 0)
    try vcpu.writeMSR(MSR.apicBase, APICBase(isBootstrapProcessor: true).rawValue)
    try test.check("the version back at the old address", try vcpu.read(.version), equals: version)
  }

  /// From mode to mode.
  static let lapicModes = Scenario(
    "lapic.modes", "The local APIC goes from mode to mode as the SDM allows, and refuses all else with #GP",
    modes: [.x2APIC], exercises: ["kvm_apic_set_base", "kvm_lapic_set_base", "SDM 3A 12.12.5"]
  ) { test in
    let vcpu = test[vcpu: 0]
    func value(_ mode: APICMode) -> UInt64 { APICBase(isBootstrapProcessor: true, mode: mode).rawValue }
    func refuses(_ modes: APICMode...) throws {
      for mode in modes {
        let fault = try vcpu.faultWritingMSR(MSR.apicBase, value(mode))
        try test.check("the exception of the way from \(test.mode) to \(mode)", fault, equals: 13)
      }
      try test.check("IA32_APIC_BASE", try vcpu.readMSR(MSR.apicBase), equals: value(test.mode))
    }
    func enter(_ mode: APICMode) throws {
      try vcpu.writeMSR(MSR.apicBase, value(mode))
      test.mode = mode
    }
    var way: [APICMode] = []
    try test.stimulus {
      try refuses(.xAPIC, .invalid)
      try enter(.disabled)
      way.append(test.mode)
      try refuses(.x2APIC, .invalid)
      try enter(.xAPIC)
      way.append(test.mode)
      try refuses(.invalid)
      try test.check("the version in memory is not 0", try vcpu.read(.version) != 0)
      try enter(.x2APIC)
      way.append(test.mode)
      // A reserved bit.
      try test.check("the exception", try vcpu.faultWritingMSR(MSR.apicBase, value(.x2APIC) | 1), equals: 13)
    }
    try test.check("the way", way, equals: [.disabled, .xAPIC, .x2APIC])
    try vcpu.write(.spurious, SpuriousInterruptVectorRegister().rawValue)
    try vcpu.send(.toSelf(0x56))
    try test.expect(1, of: 0x56, on: 0)
  }

  /// The switch in IA32_APIC_BASE.
  static let lapicDisabled = Scenario(
    "lapic.disabled", "Switched off by IA32_APIC_BASE, a local APIC has no registers and no bit in CPUID",
    exercises: ["kvm_apic_set_base", "kvm_update_cpuid_runtime", "apic_mmio_read", "SDM 3A 12.4.3"]
  ) { test in
    let vcpu = test[vcpu: 0]
    let apicBit: UInt32 = 1 << 9  // SDM volume 2A, CPUID, leaf 1, EDX.
    let version = try vcpu.read(.version)
    let address = APICBase.defaultAddress + UInt64(LocalAPICRegister.version.rawValue)
    let answersInMemory = try vcpu.readMemory(address) == version
    try test.check("the registers are in memory", answersInMemory, equals: test.mode == .xAPIC)
    try test.check("CPUID shows a local APIC", try vcpu.cpuid(1).edx & apicBit != 0)
    try test.stimulus {
      try vcpu.writeMSR(MSR.apicBase, APICBase(isBootstrapProcessor: true, mode: .disabled).rawValue)
    }
    try test.check("CPUID shows none", try vcpu.cpuid(1).edx & apicBit == 0)
    try test.check("the registers are not in memory", try vcpu.readMemory(address) != version)
    try test.check("the exception of RDMSR", try vcpu.faultReadingMSR(LocalAPICRegister.version.msr), equals: 13)
    try vcpu.writeMSR(MSR.apicBase, APICBase(isBootstrapProcessor: true, mode: .xAPIC).rawValue)
    try test.check("CPUID shows one again", try vcpu.cpuid(1).edx & apicBit != 0)
    try test.check("the registers in memory", try vcpu.readMemory(address), equals: version)
  }
}

extension Scenario {
  /// The watchdog of old: the PIT's tick as an NMI.
  static let lapicLINT0 = Scenario(
    "lapic.lint0-nmi", "LINT0 programmed as NMI turns a tick of the PIT into an NMI",
    exercises: ["apic_manage_nmi_watchdog", "kvm_apic_nmi_wd_deliver", "kvm_apic_local_deliver", "SDM 3A 12.5.1"]
  ) { test in
    let vcpu = test[vcpu: 0]
    try vcpu.write(.lvtLINT0, LVTEntry.pin(0, deliveryMode: .nmi).rawValue)
    try test.stimulus {
      // Channel 0, both bytes, mode 0: one tick after 0x400 cycles.
      try vcpu.writePort(0x43, 0x30)
      try vcpu.writePort(0x40, 0x00)
      try vcpu.writePort(0x40, 0x04)
    }
    try test.expect(1, of: 2, on: 0)
  }

  /// What KVM_NMI is for, as its documentation has it: the VMM looks whether LINT1 lets an NMI through.
  static let lapicLINT1 = Scenario(
    "lapic.lint1-nmi", "LINT1 programmed as NMI is seen by KVM_GET_LAPIC, and KVM_NMI is taken once",
    exercises: ["kvm_vcpu_ioctl_nmi", "kvm_inject_nmi", "KVM_NMI", "SDM 3A 12.5.1"]
  ) { test in
    let entry = LVTEntry.pin(0, deliveryMode: .nmi)
    try test[vcpu: 0].write(.lvtLINT1, entry.rawValue)
    try test.check("LINT1", try test.localAPICState(of: 0).lvt(.lint1), equals: entry)
    try test[vcpu: 0].disableInterrupts()
    try test.stimulus { try test.machine.withVCPUStopped(0) { (vcpu) throws(KVMError) in try vcpu.nmi() } }
    try test.expect(1, of: 2, on: 0, unfenced: "its interrupts are off")
  }

  /// The paravirtual EOI's address.
  static let lapicPVEOI = Scenario(
    "lapic.pv-eoi-msr", "MSR_KVM_PV_EOI_EN keeps an aligned address and refuses another with #GP",
    exercises: ["kvm_lapic_set_pv_eoi", "MSR_KVM_PV_EOI_EN"]
  ) { test in
    let vcpu = test[vcpu: 0]
    try test.stimulus { try vcpu.writeMSR(MSR.pvEOI, 0x9000 | 1) }
    try test.check("the MSR", try vcpu.readMSR(MSR.pvEOI), equals: 0x9001)
    // Bit 0 enables; the address is a multiple of 4.
    try test.check("the exception", try vcpu.faultWritingMSR(MSR.pvEOI, 0x9002 | 1), equals: 13)
    try test.check("the MSR after it", try vcpu.readMSR(MSR.pvEOI), equals: 0x9001)
    try vcpu.send(.toSelf(0x57))
    try test.expect(1, of: 0x57, on: 0)
  }
}
