import APIC
import KVM

extension Registers {
  /// `struct kvm_regs`.
  init(_ raw: StructureBytes) {
    self.init()
    let paths: [WritableKeyPath<Registers, UInt64>] = [
      \.rax, \.rbx, \.rcx, \.rdx, \.rsi, \.rdi, \.rsp, \.rbp, \.r8, \.r9, \.r10, \.r11, \.r12, \.r13, \.r14, \.r15,
      \.rip,
      \.rflags,
    ]
    for (index, path) in paths.enumerated() { self[keyPath: path] = raw[8 * index] }
  }
}

extension SpecialRegisters {
  /// `struct kvm_sregs`.
  init(_ raw: StructureBytes) {
    self.init()
    let segments: [WritableKeyPath<SpecialRegisters, Segment>] = [
      \.cs, \.ds, \.es, \.fs, \.gs, \.ss, \.tr, \.ldt,
    ]
    for (index, path) in segments.enumerated() { self[keyPath: path] = Segment(raw, at: 24 * index) }
    gdt = DescriptorTable(base: raw[192], limit: raw[200])
    idt = DescriptorTable(base: raw[208], limit: raw[216])
    (cr0, cr2, cr3, cr4, cr8) = (raw[224], raw[232], raw[240], raw[248], raw[256])
    (efer, apicBase) = (raw[264], APICBase(rawValue: raw[272]))
    for index in 0..<8 { injectedInterrupt[word: index] = raw[280 + 4 * index] }
  }
}

extension Segment {
  /// `struct kvm_segment`.
  fileprivate init(_ raw: StructureBytes, at offset: Int) {
    self.init()
    (base, limit, selector) = (raw[offset], raw[offset + 8], raw[offset + 12])
    (type, present, dpl) = (raw[offset + 14], raw[offset + 15], raw[offset + 16])
    (db, s, l, g) = (raw[offset + 17], raw[offset + 18], raw[offset + 19], raw[offset + 20])
    (avl, unusable) = (raw[offset + 21], raw[offset + 22])
  }
}

extension DebugRegisters {
  /// `struct kvm_debugregs`.
  init(_ raw: StructureBytes) {
    self.init()
    (dr0, dr1, dr2, dr3, dr6, dr7) = (raw[0], raw[8], raw[16], raw[24], raw[32], raw[40])
  }
}

extension VCPUEvents {
  /// `struct kvm_vcpu_events`.
  init(_ raw: StructureBytes) {
    self.init()
    let flags: UInt32 = raw[20]
    (exception.injected, exception.number, exception.pending) = (raw.flag(0), raw[1], raw.flag(3))
    exception.errorCode = raw.flag(2) ? raw[4] : nil
    exception.payload = raw.flag(55) ? raw[56] : nil
    (interrupt.injected, interrupt.number, interrupt.soft) = (raw.flag(8), raw[9], raw.flag(10))
    interrupt.shadow = raw[11]
    (nmi.injected, nmi.pending, nmi.masked) = (raw.flag(12), raw[13], raw.flag(14))
    // KVM_VCPUEVENT_VALID_SIPI_VECTOR, _SMM and _TRIPLE_FAULT.
    if flags & 0x2 != 0 { sipiVector = UInt8(truncatingIfNeeded: raw[16] as UInt32) }
    if flags & 0x8 != 0 {
      var management = SMI()
      (management.inSMM, management.pending) = (raw.flag(24), raw.flag(25))
      (management.insideNMI, management.latchedINIT) = (raw.flag(26), raw.flag(27))
      smi = management
    }
    if flags & 0x20 != 0 { tripleFault = raw.flag(28) }
  }
}

extension CPUIDEntry {
  /// `struct kvm_cpuid_entry2`.
  init(_ raw: StructureBytes) {
    // KVM_CPUID_FLAG_SIGNIFCANT_INDEX.
    let flags: UInt32 = raw[8]
    self.init(
      function: raw[0], index: raw[4], hasSignificantIndex: flags & 1 == 1, eax: raw[12], ebx: raw[16], ecx: raw[20],
      edx: raw[24])
  }
}

extension MSREntry {
  /// `struct kvm_msr_entry`.
  init(_ raw: StructureBytes) { self.init(index: raw[0], value: raw[8]) }
}
