/// Numbers and texts one behind the other, as tables have them.
struct LittleEndianBytes {
  var bytes: [UInt8] = []

  mutating func add(_ value: some FixedWidthInteger & UnsignedInteger) {
    for shift in stride(from: 0, to: value.bitWidth, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
  }

  /// A text, filled up with blanks.
  mutating func add(text: String, size: Int) {
    let text = Array(text.utf8.prefix(size))
    bytes += text + [UInt8](repeating: 0x20, count: size - text.count)
  }

  /// Zeros up to a size.
  mutating func pad(to size: Int) { bytes += [UInt8](repeating: 0, count: max(0, size - bytes.count)) }
}
