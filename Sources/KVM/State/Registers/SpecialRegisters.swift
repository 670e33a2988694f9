public import APIC
import CKVM

/// Segments, descriptor tables, control registers, EFER and the APIC base (KVM API, KVM_GET_SREGS and KVM_GET_SREGS2;
/// SDM volume 3A, chapter 2).
public struct SpecialRegisters: Hashable, Sendable {
  /// The code segment.
  public var cs = Segment()
  /// The data segment.
  public var ds = Segment()
  /// ES.
  public var es = Segment()
  /// FS.
  public var fs = Segment()
  /// GS.
  public var gs = Segment()
  /// The stack segment.
  public var ss = Segment()
  /// The task register.
  public var tr = Segment()
  /// The local descriptor table.
  public var ldt = Segment()
  /// The global descriptor table.
  public var gdt = DescriptorTable()
  /// The interrupt descriptor table.
  public var idt = DescriptorTable()
  /// CR0.
  public var cr0: UInt64 = 0
  /// CR2: the last page fault's address.
  public var cr2: UInt64 = 0
  /// CR3: the page tables.
  public var cr3: UInt64 = 0
  /// CR4.
  public var cr4: UInt64 = 0
  /// CR8: bits 7:4 of the task priority.
  public var cr8: UInt64 = 0
  /// IA32_EFER.
  public var efer: UInt64 = 0
  /// IA32_APIC_BASE.
  public var apicBase = APICBase(rawValue: 0)

  /// The external interrupt that is injected and not yet delivered, if any (KVM_GET_SREGS only).
  public var injectedInterrupt = VectorSet()

  /// The four PAE page-directory pointers, where they are in use (KVM_GET_SREGS2 only).
  public var pageDirectoryPointers: [UInt64]?

  /// Registers that are all 0, which no processor is ever in: start from a vCPU's.
  public init() {}
}

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

/// A segment register with its hidden part (KVM API, `struct kvm_segment`; SDM volume 3A, section 3.4.5).
public struct Segment: Hashable, Sendable {
  /// The linear address of its first byte.
  public var base: UInt64 = 0
  /// Its last byte's offset, in bytes whatever the granularity.
  public var limit: UInt32 = 0
  /// What the register shows.
  public var selector: UInt16 = 0
  /// The descriptor's type, 0 to 15.
  public var type: UInt8 = 0
  /// P: present.
  public var present: UInt8 = 0
  /// DPL: the privilege level, 0 to 3.
  public var dpl: UInt8 = 0
  /// D/B: 1 for 32-bit.
  public var db: UInt8 = 0
  /// S: 1 for code and data, 0 for system segments.
  public var s: UInt8 = 0
  /// L: 1 for 64-bit code.
  public var l: UInt8 = 0
  /// G: 1 for a limit in pages.
  public var g: UInt8 = 0
  /// AVL: for software.
  public var avl: UInt8 = 0
  /// Whether the register holds no segment, as VT-x has it.
  public var unusable: UInt8 = 0

  /// A segment with every field 0.
  public init() {}
}

extension Segment {
  /// The descriptor's fields as VMX packs them (SDM volume 3C, section 25.4.1, "access rights").
  package var accessRights: UInt32 {
    get {
      UInt32(type & 0xf) | UInt32(s & 1) << 4 | UInt32(dpl & 3) << 5 | UInt32(present & 1) << 7
        | UInt32(avl & 1) << 12 | UInt32(l & 1) << 13 | UInt32(db & 1) << 14 | UInt32(g & 1) << 15
        | UInt32(unusable & 1) << 16
    }
    set {
      func bit(_ number: UInt32) -> UInt8 { UInt8(newValue >> number & 1) }
      type = UInt8(newValue & 0xf)
      dpl = UInt8(newValue >> 5 & 3)
      (s, present, avl, l, db, g, unusable) = (bit(4), bit(7), bit(12), bit(13), bit(14), bit(15), bit(16))
    }
  }

  /// Takes the second word of a descriptor without its part of base and limit (SDM volume 3A, figure 3-8). A segment that
  /// is not present is unusable.
  package mutating func take(descriptor word: UInt32) {
    accessRights = word >> 8 & 0xf0ff
    unusable = 1 - present
  }
}

extension Segment {
  init(_ raw: kvm_segment) {
    base = raw.base
    limit = raw.limit
    selector = raw.selector
    type = raw.type
    present = raw.present
    dpl = raw.dpl
    db = raw.db
    s = raw.s
    l = raw.l
    g = raw.g
    avl = raw.avl
    unusable = raw.unusable
  }
}

extension kvm_segment {
  init(_ value: Segment) {
    self.init(
      base: value.base, limit: value.limit, selector: value.selector, type: value.type, present: value.present,
      dpl: value.dpl, db: value.db, s: value.s, l: value.l, g: value.g, avl: value.avl, unusable: value.unusable,
      padding: 0)
  }
}

/// GDTR or IDTR (KVM API, `struct kvm_dtable`; SDM volume 3A, section 2.4).
public struct DescriptorTable: Hashable, Sendable {
  /// The linear address of the table.
  public var base: UInt64
  /// Its last byte's offset.
  public var limit: UInt16

  /// A table register.
  public init(base: UInt64 = 0, limit: UInt16 = 0) {
    self.base = base
    self.limit = limit
  }
}

extension DescriptorTable {
  init(_ raw: kvm_dtable) { self.init(base: raw.base, limit: raw.limit) }
}

extension kvm_dtable {
  init(_ value: DescriptorTable) { self.init(base: value.base, limit: value.limit, padding: (0, 0, 0)) }
}
