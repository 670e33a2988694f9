/// Integers in bytes, least significant byte first, as x86 and the file formats here have them.
extension RandomAccessCollection<UInt8> {
  /// The integer whose first byte is so many bytes from the start.
  ///
  /// - Parameters:
  ///   - type: The integer's type, which says how many bytes it has.
  ///   - offset: How many bytes come before it; from 0.
  /// - Returns: The integer, or nil where the bytes end before its last one.
  public func littleEndian<Value: FixedWidthInteger>(_ type: Value.Type, at offset: Int) -> Value? {
    let size = Value.bitWidth / 8
    guard size <= count, (0...count - size).contains(offset) else { return nil }
    var value: Value = 0
    var index = self.index(startIndex, offsetBy: offset + size)
    for _ in 0..<size {
      index = self.index(before: index)
      value = value << 8 | Value(truncatingIfNeeded: self[index])
    }
    return value
  }

  /// All of the bytes as one integer; where there are more than 8 the first 8 count.
  public var littleEndian: UInt64 {
    prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}

extension RangeReplaceableCollection<UInt8> {
  /// Appends an integer's bytes.
  public mutating func appendLittleEndian(_ value: some FixedWidthInteger) {
    for shift in stride(from: 0, to: value.bitWidth, by: 8) { append(UInt8(truncatingIfNeeded: value >> shift)) }
  }
}
