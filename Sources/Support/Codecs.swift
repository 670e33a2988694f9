/// Numbers and bytes written in hexadecimal digits. A number's text is made by `hex` of the module APIC, which guests
/// compile as well and which therefore depends on nothing.
public enum Hexadecimal {
  /// The integer that a text stands for.
  ///
  /// - Parameter text: `0x` and 1 to 16 hexadecimal digits, of either case.
  /// - Returns: The integer, or nil where the text is anything else: a sign and separators are no digits.
  public static func integer(_ text: some StringProtocol) -> UInt64? {
    let characters = text.utf8
    guard (3...18).contains(characters.count), text.hasPrefix("0x") else { return nil }
    var result: UInt64 = 0
    for digit in characters.dropFirst(2) {
      guard let value = value(digit) else { return nil }
      result = result << 4 | UInt64(value)
    }
    return result
  }

  /// Two digits a byte, in lower case and without a prefix.
  public static func text(_ bytes: [UInt8]) -> String {
    var text = [UInt8](repeating: 0, count: 2 * bytes.count)
    for (index, byte) in bytes.enumerated() {
      text[2 * index] = digits[Int(byte >> 4)]
      text[2 * index + 1] = digits[Int(byte & 0xf)]
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// The bytes that digits stand for, two a byte and without a prefix; nil where there is something else or half a byte.
  public static func bytes(_ text: String) -> [UInt8]? {
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

  private static let digits = Array("0123456789abcdef".utf8)

  /// What a hexadecimal digit stands for; nil for anything else.
  public static func value(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}

/// Integers in bytes, least significant byte first, as x86 and the file formats here have them.
extension RandomAccessCollection<UInt8> {
  /// The integer whose first byte is so many bytes from the start.
  ///
  /// - Parameters:
  ///   - type: The integer's type, which says how many bytes it has.
  ///   - offset: How many bytes come before it; from 0.
  /// - Returns: The integer, or nil where the bytes end before its last one.
  @inlinable  // Each image is searched with it at every start.
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
  @inlinable
  public var littleEndian: UInt64 {
    prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}

extension RangeReplaceableCollection<UInt8> {
  /// Appends an integer's bytes.
  @inlinable
  public mutating func appendLittleEndian(_ value: some FixedWidthInteger) {
    for shift in stride(from: 0, to: value.bitWidth, by: 8) { append(UInt8(truncatingIfNeeded: value >> shift)) }
  }
}
