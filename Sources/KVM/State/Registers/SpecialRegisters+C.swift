import APIC
import CKVM

extension SpecialRegisters {
  init(_ raw: kvm_sregs) {
    (cs, ds, es) = (Segment(raw.cs), Segment(raw.ds), Segment(raw.es))
    (fs, gs, ss) = (Segment(raw.fs), Segment(raw.gs), Segment(raw.ss))
    (tr, ldt) = (Segment(raw.tr), Segment(raw.ldt))
    (gdt, idt) = (DescriptorTable(raw.gdt), DescriptorTable(raw.idt))
    (cr0, cr2, cr3, cr4, cr8) = (raw.cr0, raw.cr2, raw.cr3, raw.cr4, raw.cr8)
    (efer, apicBase) = (raw.efer, APICBase(rawValue: raw.apic_base))
    let bitmap = raw.interrupt_bitmap
    for (index, word) in [bitmap.0, bitmap.1, bitmap.2, bitmap.3].enumerated() {
      injectedInterrupt[word: 2 * index] = UInt32(truncatingIfNeeded: word)
      injectedInterrupt[word: 2 * index + 1] = UInt32(word >> 32)
    }
  }

  init(_ raw: kvm_sregs2) {
    (cs, ds, es) = (Segment(raw.cs), Segment(raw.ds), Segment(raw.es))
    (fs, gs, ss) = (Segment(raw.fs), Segment(raw.gs), Segment(raw.ss))
    (tr, ldt) = (Segment(raw.tr), Segment(raw.ldt))
    (gdt, idt) = (DescriptorTable(raw.gdt), DescriptorTable(raw.idt))
    (cr0, cr2, cr3, cr4, cr8) = (raw.cr0, raw.cr2, raw.cr3, raw.cr4, raw.cr8)
    (efer, apicBase) = (raw.efer, APICBase(rawValue: raw.apic_base))
    let pointers = raw.pdptrs
    if raw.flags & UInt64(KVM_SREGS2_FLAGS_PDPTRS_VALID) != 0 {
      pageDirectoryPointers = [pointers.0, pointers.1, pointers.2, pointers.3]
    }
  }
}

extension kvm_sregs {
  init(_ value: SpecialRegisters) {
    let set = value.injectedInterrupt
    let bitmap = (0..<4).map { UInt64(set[word: 2 * $0]) | UInt64(set[word: 2 * $0 + 1]) << 32 }
    self.init(
      cs: .init(value.cs), ds: .init(value.ds), es: .init(value.es), fs: .init(value.fs), gs: .init(value.gs),
      ss: .init(value.ss), tr: .init(value.tr), ldt: .init(value.ldt), gdt: .init(value.gdt), idt: .init(value.idt),
      cr0: value.cr0, cr2: value.cr2, cr3: value.cr3, cr4: value.cr4, cr8: value.cr8, efer: value.efer,
      apic_base: value.apicBase.rawValue, interrupt_bitmap: fourWords(bitmap))
  }
}

extension kvm_sregs2 {
  init(_ value: SpecialRegisters) {
    let flags = value.pageDirectoryPointers == nil ? 0 : UInt64(KVM_SREGS2_FLAGS_PDPTRS_VALID)
    self.init(
      cs: .init(value.cs), ds: .init(value.ds), es: .init(value.es), fs: .init(value.fs), gs: .init(value.gs),
      ss: .init(value.ss), tr: .init(value.tr), ldt: .init(value.ldt), gdt: .init(value.gdt), idt: .init(value.idt),
      cr0: value.cr0, cr2: value.cr2, cr3: value.cr3, cr4: value.cr4, cr8: value.cr8, efer: value.efer,
      apic_base: value.apicBase.rawValue, flags: flags, pdptrs: fourWords(value.pageDirectoryPointers ?? []))
  }
}

/// The first four words, with zeros for those that are missing.
private func fourWords(_ words: [UInt64]) -> (UInt64, UInt64, UInt64, UInt64) {
  func word(_ index: Int) -> UInt64 { index < words.count ? words[index] : 0 }
  return (word(0), word(1), word(2), word(3))
}
