/// Hexadecimal digits, as JSON texts have them.
enum HexDigits {
  private static let digits = Array("0123456789abcdef".utf8)

  /// Two digits a byte.
  static func text(_ bytes: [UInt8]) -> String {
    var text = [UInt8](repeating: 0, count: 2 * bytes.count)
    for (index, byte) in bytes.enumerated() {
      text[2 * index] = digits[Int(byte >> 4)]
      text[2 * index + 1] = digits[Int(byte & 0xf)]
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// The bytes that digits stand for; nil where there is something else or half a byte.
  static func bytes(_ text: String) -> [UInt8]? {
    guard text.utf8.count.isMultiple(of: 2) else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count / 2)
    var high: UInt8?
    for digit in text.utf8 {
      guard let value = value(digit) else { return nil }
      if let first = high {
        bytes.append(first << 4 | value)
        high = nil
      } else {
        high = value
      }
    }
    return bytes
  }

  /// The integer that `0x` and 1 to 16 digits stand for.
  static func integer(_ text: String) -> UInt64? {
    let digits = text.utf8
    guard digits.count >= 3, digits.count <= 18, text.hasPrefix("0x") else { return nil }
    var result: UInt64 = 0
    for digit in digits.dropFirst(2) {
      guard let value = value(digit) else { return nil }
      result = result << 4 | UInt64(value)
    }
    return result
  }

  /// What a digit stands for; nil for anything else.
  static func value(_ digit: UInt8) -> UInt8? {
    switch digit {
    case 0x30...0x39: digit - 0x30
    case 0x61...0x66: digit - 0x61 + 10
    case 0x41...0x46: digit - 0x41 + 10
    default: nil
    }
  }
}
