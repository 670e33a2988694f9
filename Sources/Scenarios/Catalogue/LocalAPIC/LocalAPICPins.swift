import APIC
import KVM
import VMM

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
