/// Reads a JSON text (RFC 8259) that nobody is trusted with: no input traps, and nesting has a limit.
struct JSONParser {
  /// How deep arrays and objects may nest; a state needs eight.
  static let depthLimit = 64

  private let text: [UInt8]
  private var position = 0
  private var depth = 0

  private init(_ text: [UInt8]) { self.text = text }

  /// The value that is the whole of a text.
  ///
  /// - Throws: `MalformedState` with line and column of what is no JSON.
  static func parse(_ text: [UInt8]) throws(MalformedState) -> JSONValue {
    var parser = JSONParser(text)
    let value = try parser.value()
    parser.skipSpace()
    guard parser.position == text.count else { throw parser.failure("there is more after the document") }
    return value
  }

  private mutating func value() throws(MalformedState) -> JSONValue {
    skipSpace()
    guard let byte = peek else { throw failure("the document ends too early") }
    switch byte {
    case UInt8(ascii: "{"): return try nested { parser throws(MalformedState) in try parser.object() }
    case UInt8(ascii: "["): return try nested { parser throws(MalformedState) in try parser.array() }
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "-"), 0x30...0x39: return .number(try number())
    default: return try word()
    }
  }

  private mutating func nested(
    _ body: (inout JSONParser) throws(MalformedState) -> JSONValue
  ) throws(MalformedState) -> JSONValue {
    guard depth < Self.depthLimit else { throw failure("it nests deeper than \(Self.depthLimit)") }
    depth += 1
    position += 1
    let value = try body(&self)
    depth -= 1
    return value
  }

  private mutating func array() throws(MalformedState) -> JSONValue {
    var values: [JSONValue] = []
    skipSpace()
    if take("]") { return .array([]) }
    while true {
      values.append(try value())
      skipSpace()
      if take("]") { return .array(values) }
      guard take(",") else { throw failure("',' or ']' expected") }
    }
  }

  private mutating func object() throws(MalformedState) -> JSONValue {
    var members: [JSONValue.Member] = []
    var names: Set<String> = []
    skipSpace()
    if take("}") { return .object([]) }
    while true {
      skipSpace()
      guard peek == UInt8(ascii: "\"") else { throw failure("a member's name expected") }
      let name = try string()
      guard names.insert(name).inserted else { throw failure("the member '\(name)' is there twice") }
      skipSpace()
      guard take(":") else { throw failure("':' expected") }
      members.append(JSONValue.Member(name: name, value: try value()))
      skipSpace()
      if take("}") { return .object(members) }
      guard take(",") else { throw failure("',' or '}' expected") }
    }
  }

  private mutating func word() throws(MalformedState) -> JSONValue {
    for (word, value) in [("true", JSONValue.bool(true)), ("false", .bool(false)), ("null", .null)]
    where text[position...].starts(with: word.utf8) {
      position += word.utf8.count
      return value
    }
    throw failure("a value expected")
  }

  /// An integer; a state has no other numbers.
  private mutating func number() throws(MalformedState) -> Int64 {
    let start = position
    if peek == UInt8(ascii: "-") { position += 1 }
    let first = position
    while let byte = peek, (0x30...0x39).contains(byte) { position += 1 }
    let digits = text[start..<position]
    guard position > first, position == first + 1 || text[first] != 0x30,
      let number = Int64(String(decoding: digits, as: UTF8.self))
    else { throw failure("an integer expected") }
    if let byte = peek, [UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E")].contains(byte) {
      throw failure("an integer expected, not a fraction or an exponent")
    }
    return number
  }

  private mutating func string() throws(MalformedState) -> String {
    position += 1
    let start = position
    // Nearly all strings have no escapes: they are taken in one piece.
    while position < text.count, text[position] != UInt8(ascii: "\""), text[position] != UInt8(ascii: "\\"),
      text[position] >= 0x20
    { position += 1 }
    guard let end = peek else { throw failure("a string does not end") }
    if end == UInt8(ascii: "\"") {
      position += 1
      return try utf8(text[start..<position - 1])
    }
    var bytes = Array(text[start..<position])
    while let byte = peek {
      position += 1
      switch byte {
      case UInt8(ascii: "\""): return try utf8(bytes[...])
      case UInt8(ascii: "\\"): try escape(into: &bytes)
      case 0..<0x20: throw failure("a control character in a string")
      default: bytes.append(byte)
      }
    }
    throw failure("a string does not end")
  }

  private func utf8(_ bytes: ArraySlice<UInt8>) throws(MalformedState) -> String {
    guard let string = String(validating: bytes, as: UTF8.self) else { throw failure("a string is not UTF-8") }
    return string
  }

  private mutating func escape(into bytes: inout [UInt8]) throws(MalformedState) {
    guard let byte = peek else { throw failure("a string does not end") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): bytes.append(byte)
    case UInt8(ascii: "b"): bytes.append(0x08)
    case UInt8(ascii: "f"): bytes.append(0x0c)
    case UInt8(ascii: "n"): bytes.append(0x0a)
    case UInt8(ascii: "r"): bytes.append(0x0d)
    case UInt8(ascii: "t"): bytes.append(0x09)
    case UInt8(ascii: "u"):
      var code = UInt32(try unit())
      if (0xd800..<0xdc00).contains(code), take("\\"), take("u") {
        let low = UInt32(try unit())
        guard (0xdc00..<0xe000).contains(low) else { throw failure("half of a surrogate pair") }
        code = 0x10000 + (code - 0xd800) << 10 + (low - 0xdc00)
      }
      guard let scalar = Unicode.Scalar(code) else { throw failure("half of a surrogate pair") }
      bytes += Array(String(scalar).utf8)
    default: throw failure("an unknown escape in a string")
    }
  }

  private mutating func unit() throws(MalformedState) -> UInt16 {
    guard position + 4 <= text.count,
      let unit = UInt16(String(decoding: text[position..<position + 4], as: UTF8.self), radix: 16)
    else { throw failure("four hexadecimal digits expected") }
    position += 4
    return unit
  }

  private var peek: UInt8? { position < text.count ? text[position] : nil }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard peek == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func skipSpace() {
    while position < text.count {
      switch text[position] {
      case 0x20, 0x09, 0x0a, 0x0d: position += 1
      default: return
      }
    }
  }

  private func failure(_ problem: String) -> MalformedState {
    let before = text.prefix(position)
    let line = before.count { $0 == 0x0a } + 1
    let column = position - (before.lastIndex(of: 0x0a).map { $0 + 1 } ?? 0) + 1
    return MalformedState("line \(line), column \(column): no JSON: \(problem)")
  }
}
