public import KVM

extension Segment {
  /// The attributes as a descriptor has them from bit 40 on (SDM volume 3A, figure 3-8): type in bits 3:0, S, DPL, present
  /// in bit 7, AVL in bit 12, L, D/B, granularity in bit 15. A segment that is not present is unusable.
  public var attributes: UInt16 {
    get {
      let low = UInt16(type & 0xf) | UInt16(s & 1) << 4 | UInt16(dpl & 3) << 5 | UInt16(present & 1) << 7
      return low | UInt16(avl & 1) << 12 | UInt16(l & 1) << 13 | UInt16(db & 1) << 14 | UInt16(g & 1) << 15
    }
    set {
      func bits(_ place: UInt16, _ mask: UInt16) -> UInt8 { UInt8(truncatingIfNeeded: newValue >> place & mask) }
      (type, s, dpl, present) = (bits(0, 0xf), bits(4, 1), bits(5, 3), bits(7, 1))
      (avl, l, db, g) = (bits(12, 1), bits(13, 1), bits(14, 1), bits(15, 1))
      unusable = present == 0 ? 1 : 0
    }
  }
}
