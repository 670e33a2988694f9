/// CRC-32C, the Castagnoli polynomial (RFC 3720, section 12.1), eight bytes a step.
///
/// It finds what storage and copying break, at a gigabyte a second and in a page of code. It is no defence against a person
/// who changes a file on purpose: what a snapshot contains runs as a guest, with no more rights than any other guest.
enum CRC32C {
  /// The remainders of every byte followed by 0 to 7 zero bytes, 256 after 256.
  private static let table: [UInt32] = {
    var table = [UInt32](repeating: 0, count: 8 * 256)
    for byte in 0..<256 {
      var remainder = UInt32(byte)
      for _ in 0..<8 { remainder = remainder & 1 == 1 ? remainder >> 1 ^ 0x82f6_3b78 : remainder >> 1 }
      table[byte] = remainder
    }
    for index in 256..<table.count {
      let before = table[index - 256]
      table[index] = before >> 8 ^ table[Int(before & 0xff)]
    }
    return table
  }()

  /// The checksum of bytes.
  static func of(_ bytes: [UInt8]) -> UInt32 {
    let table = table.span
    let bytes = bytes.span
    var crc = UInt32.max
    var index = 0
    while index + 8 <= bytes.count {
      let low = crc ^ word(bytes, index)
      let high = word(bytes, index + 4)
      crc = table[0x700 + Int(low & 0xff)] ^ table[0x600 + Int(low >> 8 & 0xff)]
      crc ^= table[0x500 + Int(low >> 16 & 0xff)] ^ table[0x400 + Int(low >> 24)]
      crc ^= table[0x300 + Int(high & 0xff)] ^ table[0x200 + Int(high >> 8 & 0xff)]
      crc ^= table[0x100 + Int(high >> 16 & 0xff)] ^ table[Int(high >> 24)]
      index += 8
    }
    while index < bytes.count {
      crc = crc >> 8 ^ table[Int((crc ^ UInt32(bytes[index])) & 0xff)]
      index += 1
    }
    return ~crc
  }

  private static func word(_ bytes: Span<UInt8>, _ index: Int) -> UInt32 {
    UInt32(bytes[index]) | UInt32(bytes[index + 1]) << 8 | UInt32(bytes[index + 2]) << 16
      | UInt32(bytes[index + 3]) << 24
  }
}
