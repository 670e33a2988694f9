/// A JSON value (RFC 8259) whose numbers are integers, with the members of objects in order.
///
/// Foundation's decoder keeps neither the order nor the names that nobody asked for, and takes a multiple of the time; a
/// state with 64 vCPUs is to be read in a few milliseconds.
enum JSONValue: Hashable, Sendable {
  case null
  case bool(Bool)
  case number(Int64)
  case string(String)
  case array([JSONValue])
  case object([Member])

  /// A member of an object.
  struct Member: Hashable, Sendable {
    var name: String
    var value: JSONValue
  }

  /// What kind of value it is, for a person.
  var kind: String {
    switch self {
    case .null: "null"
    case .bool: "a boolean"
    case .number: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }

  /// An object without the members that are nil.
  static func object(_ members: KeyValuePairs<String, JSONValue?>) -> JSONValue {
    .object(members.compactMap { name, value in value.map { Member(name: name, value: $0) } })
  }

  /// An integer of up to 64 bits as `0x1f`.
  static func hex(_ value: some FixedWidthInteger & UnsignedInteger) -> JSONValue {
    .string("0x" + String(value, radix: 16))
  }

  /// Bytes as hexadecimal digits.
  static func bytes(_ bytes: [UInt8]) -> JSONValue { .string(Hexadecimal.text(bytes)) }
}

/// Hexadecimal digits.
enum Hexadecimal {
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

  private static func value(_ digit: UInt8) -> UInt8? {
    switch digit {
    case 0x30...0x39: digit - 0x30
    case 0x61...0x66: digit - 0x61 + 10
    case 0x41...0x46: digit - 0x41 + 10
    default: nil
    }
  }
}
