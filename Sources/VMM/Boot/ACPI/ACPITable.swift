import Support

/// A table of ACPI's: a header of 36 bytes with a checksum over all of it, then its own fields (ACPI specification, section
/// 5.2.6).
struct ACPITable {
  static let headerSize = 36

  /// Fields behind the header.
  var fields: [UInt8] = []
  private let signature: String
  private let revision: UInt8

  /// A table without fields; its signature has four letters.
  init(_ signature: String, revision: UInt8) {
    self.signature = signature
    self.revision = revision
  }

  /// The table's bytes, checksum included.
  var bytes: [UInt8] {
    var table = Array(signature.utf8)
    table.appendLittleEndian(UInt32(Self.headerSize + fields.count))
    table += [revision, 0] + Array("LAPWNGLAPWING ".utf8)
    table.appendLittleEndian(UInt32(1))
    table += Array("LPWG".utf8)
    table.appendLittleEndian(UInt32(1))
    table += fields
    table[9] = Self.checksum(of: table[...])
    return table
  }

  /// What makes the sum of all bytes 0, in place of a 0.
  static func checksum(of bytes: ArraySlice<UInt8>) -> UInt8 { 0 &- bytes.reduce(0, &+) }
}

extension [UInt8] {
  /// Zeros up to a size.
  mutating func pad(to size: Int) { self += [UInt8](repeating: 0, count: Swift.max(0, size - count)) }
}
