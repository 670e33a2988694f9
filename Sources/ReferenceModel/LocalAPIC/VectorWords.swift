import APIC

/// The three sets of vectors, reached through the page without being copied: most of what a local APIC does is a bit in
/// one of them.
extension LocalAPICState {
  /// Whether a vector is in the ISR, the TMR or the IRR.
  @inline(__always)
  func has(_ vector: Vector, in set: LocalAPICRegister) -> Bool {
    registers[Self.word(vector, set)] >> (UInt32(vector.rawValue) & 31) & 1 != 0
  }

  /// Puts a vector into the ISR, the TMR or the IRR, or takes it out.
  @inline(__always)
  mutating func put(_ isMember: Bool, _ vector: Vector, in set: LocalAPICRegister) {
    let bit = UInt32(1) << (UInt32(vector.rawValue) & 31)
    let word = Self.word(vector, set)
    registers[word] = isMember ? registers[word] | bit : registers[word] & ~bit
  }

  /// The highest vector in the ISR, the TMR or the IRR.
  @inline(__always)
  func highest(in set: LocalAPICRegister) -> Vector? {
    var index = 7
    while index >= 0 {
      let word = registers[Int(set.rawValue >> 2) + index * 4]
      if word != 0 { return Vector(rawValue: UInt8(index * 32 + 31 - word.leadingZeroBitCount)) }
      index -= 1
    }
    return nil
  }

  @inline(__always)
  private static func word(_ vector: Vector, _ set: LocalAPICRegister) -> Int {
    Int(set.rawValue >> 2) + Int(vector.rawValue >> 5) * 4
  }
}
