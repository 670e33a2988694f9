/// A table of ACPI's: a header of 36 bytes with a checksum over all of it, then its own fields (ACPI specification, section
/// 5.2.6).
struct ACPITable {
  static let headerSize = 36

  /// Fields behind the header.
  var fields = LittleEndianBytes()
  private let signature: String
  private let revision: UInt8

  init(_ signature: String, revision: UInt8) {
    self.signature = signature
    self.revision = revision
  }

  /// The table's bytes, checksum included.
  var bytes: [UInt8] {
    var table = LittleEndianBytes()
    table.add(text: signature, size: 4)
    table.add(UInt32(Self.headerSize + fields.bytes.count))
    table.add(revision)
    table.add(UInt8(0))
    table.add(text: "LAPWNG", size: 6)
    table.add(text: "UNITTEST", size: 8)
    table.add(UInt32(1))
    table.add(text: "LPWG", size: 4)
    table.add(UInt32(1))
    table.bytes += fields.bytes
    table.bytes[9] = Self.checksum(of: table.bytes[...])
    return table.bytes
  }

  /// What makes the sum of all bytes 0, in place of a 0.
  static func checksum(of bytes: ArraySlice<UInt8>) -> UInt8 { 0 &- bytes.reduce(0, &+) }
}

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
