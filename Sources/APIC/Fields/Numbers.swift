/// Register fields by bit number, counted as the manuals count them.
extension FixedWidthInteger where Self: UnsignedInteger {
  /// The bit with that number.
  subscript(bit index: Int) -> Bool {
    get { self & (1 << index) != 0 }
    set { self = newValue ? self | (1 << index) : self & ~(1 << index) }
  }

  /// The bits in that range, moved down to bit 0; a value that is too wide for them loses its upper bits.
  subscript(bits range: ClosedRange<Int>) -> Self {
    get { self >> range.lowerBound & Self.mask(width: range.count) }
    set {
      let mask = Self.mask(width: range.count)
      self = self & ~(mask << range.lowerBound) | (newValue & mask) << range.lowerBound
    }
  }

  private static func mask(width: Int) -> Self {
    ~(~0 << width)
  }
}

#if !hasFeature(Embedded)
/// A number in hexadecimal, as the manuals write it: `0x70`. Every module of the package writes it so.
///
/// - Parameters:
///   - value: The number.
///   - digits: How many digits it has at the least; zeros fill it up.
package func hex(_ value: some BinaryInteger, digits: Int = 1) -> String {
  let number = String(value, radix: 16)
  return "0x" + String(repeating: "0", count: max(0, digits - number.count)) + number
}
#endif
