import APIC
import VMM

/// CPUID leaf 0x40000001, EAX: what KVM offers its guests (virt/kvm/x86/cpuid.rst).
private enum KVMFeature {
  static let leaf: UInt32 = 0x4000_0001
  static let pvEOI: UInt32 = 1 << 6
  static let pvSendIPI: UInt32 = 1 << 11
}

extension Scenario {
  /// Many destinations in one exit.
  static let ipiHypercall = Scenario(
    "ipi.hypercall", "KVM_HC_SEND_IPI interrupts every processor of its bitmap and answers how many", vcpus: 4,
    exercises: ["kvm_pv_send_ipi", "KVM_HC_SEND_IPI", "virt/kvm/x86/hypercalls.rst"], needs: [.trait(.hypercall)]
  ) { test in
    let sendIPI: UInt32 = 10
    let sender = test[vcpu: 0]
    let features = try sender.cpuid(KVMFeature.leaf).eax
    try test.check("CPUID offers KVM_FEATURE_PV_SEND_IPI", features & KVMFeature.pvSendIPI != 0)
    try test.stimulus {
      // Bit 0 of the bitmap is the processor with the id that comes third.
      let answer = try sender.hypercall(sendIPI, 0b101, 0, 1, 0x79)
      try test.check("KVM_HC_SEND_IPI answers", answer, equals: 2)
    }
    for vcpu in [1, 3] { try test.expect(1, of: 0x79, on: vcpu) }
    for vcpu in [0, 2] { try test.expectNone(of: 0x79, on: vcpu) }
  }

  /// An EOI that is a write to memory.
  ///
  /// Processors that end interrupts themselves are offered no such thing, so APICv is switched off first: by an APIC id
  /// that is not the vCPU's, on a processor that does nothing else (APICV_INHIBIT_REASON_APIC_ID_MODIFIED).
  static let ipiPVEOI = Scenario(
    "ipi.pv-eoi", "The word of PV EOI is set at delivery, and clearing it ends the interrupt's service",
    modes: [.xAPIC], vcpus: 2,
    exercises: [
      "kvm_lapic_set_pv_eoi", "apic_sync_pv_eoi_to_guest", "apic_sync_pv_eoi_from_guest", "MSR_KVM_PV_EOI_EN",
    ],
    needs: [.trait(.inService)]
  ) { test in
    let (vcpu, word) = (test[vcpu: 0], UInt32(0x9000))
    try test[vcpu: 1].write(.id, 0x99 << 24)
    try vcpu.handle(0x7a, [.clearsPVEOI, .acknowledges], parameter: word)
    try vcpu.writeMSR(MSR.pvEOI, UInt64(word) | 1)
    var (sent, saved) = (0, 0)
    try test.stimulus {
      // KVM takes the word back when the vCPU leaves the guest before its handler has come to it: so until it does not.
      try test.until("an EOI is a write to memory") {
        try vcpu.send(.toSelf(0x7a))
        sent += 1
        try test.until("vCPU 0 takes interrupt \(sent)") { test.machine.recorded(0x7a, on: 0) == sent }
        saved += try test.figures(named: "EOI by memory", on: 0).count
        return saved > 0
      }
    }
    try test.check("EOIs were saved", saved > 0)
    // Were it still in service, it would hold back the next.
    try vcpu.send(.toSelf(0x7a))
    try test.expect(sent + 1, of: 0x7a, on: 0)
    try test.check("the ISR at the end", try vcpu.readVectors(.inService), equals: VectorSet())
  }
}
