import CKVM

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
