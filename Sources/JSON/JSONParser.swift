import Support

extension JSONValue {
  /// Reads a text, strictly by RFC 8259: no input traps, and the memory it takes is bounded.
  ///
  /// Numbers are integers of 64 bits, and no two members of an object have the same name.
  ///
  /// - Parameters:
  ///   - text: the whole document, in UTF-8.
  ///   - limits: what it may take.
  /// - Throws: `JSONError` with line and column of what is not JSON, or is beyond a limit.
  public init(parsing text: [UInt8], limits: JSONLimits) throws(JSONError) {
    guard text.count <= limits.bytes else {
      throw JSONError("at most \(limits.bytes) bytes expected, not \(text.count)")
    }
    var parser = JSONParser(text, limits)
    self = try parser.document()
  }
}

private struct JSONParser {
  private let text: [UInt8]
  private let limits: JSONLimits
  private var position = 0
  private var depth = 0
  private var values = 0

  init(_ text: [UInt8], _ limits: JSONLimits) {
    self.text = text
    self.limits = limits
  }

  mutating func document() throws(JSONError) -> JSONValue {
    let value = try value()
    skipSpace()
    guard position == text.count else { throw failure("there is more after the document") }
    return value
  }

  private mutating func value() throws(JSONError) -> JSONValue {
    skipSpace()
    guard let byte = peek else { throw failure("the document ends too early") }
    values += 1
    guard values <= limits.values else { throw failure("more than \(limits.values) values") }
    switch byte {
    case UInt8(ascii: "{"): return try nested { parser throws(JSONError) in try parser.object() }
    case UInt8(ascii: "["): return try nested { parser throws(JSONError) in try parser.array() }
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "-"), 0x30...0x39: return .number(try number())
    default: return try word()
    }
  }

  private mutating func nested(
    _ body: (inout JSONParser) throws(JSONError) -> JSONValue
  ) throws(JSONError) -> JSONValue {
    guard depth < limits.depth else { throw failure("it nests deeper than \(limits.depth)") }
    depth += 1
    position += 1
    let value = try body(&self)
    depth -= 1
    return value
  }

  private mutating func array() throws(JSONError) -> JSONValue {
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

  private mutating func object() throws(JSONError) -> JSONValue {
    var members: [JSONValue.Member] = []
    var names: Set<String> = []
    skipSpace()
    if take("}") { return .object([]) }
    while true {
      skipSpace()
      guard peek == UInt8(ascii: "\"") else { throw failure("a member's name expected") }
      let name = try string()
      guard names.insert(name).inserted else { throw failure("the member '\(name.excerpt)' is there twice") }
      skipSpace()
      guard take(":") else { throw failure("':' expected") }
      members.append(JSONValue.Member(name, try value()))
      skipSpace()
      if take("}") { return .object(members) }
      guard take(",") else { throw failure("',' or '}' expected") }
    }
  }

  private mutating func word() throws(JSONError) -> JSONValue {
    for (word, value) in [("true", JSONValue.bool(true)), ("false", .bool(false)), ("null", .null)]
    where text[position...].starts(with: word.utf8) {
      position += word.utf8.count
      return value
    }
    throw failure("a value expected")
  }

  /// RFC 8259 section 6, without fraction and exponent.
  private mutating func number() throws(JSONError) -> Int64 {
    let start = position
    if peek == UInt8(ascii: "-") { position += 1 }
    let first = position
    while let byte = peek, (0x30...0x39).contains(byte) { position += 1 }
    // An Int64 has at most 19 digits, a UInt64 20: no more than that are looked at.
    guard position > first, position - first <= 20, position == first + 1 || text[first] != 0x30,
      let number = integer(of: String(decoding: text[start..<position], as: UTF8.self))
    else { throw failure("an integer of 64 bits expected") }
    if let byte = peek, [UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E")].contains(byte) {
      throw failure("an integer expected, not a fraction or an exponent")
    }
    return number
  }

  private func integer(of digits: String) -> Int64? {
    Int64(digits) ?? (limits.takesUnsigned ? UInt64(digits).map(Int64.init(bitPattern:)) : nil)
  }

  private mutating func string() throws(JSONError) -> String {
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
      guard bytes.count <= limits.stringBytes else { break }
    }
    if bytes.count > limits.stringBytes { throw failure("a string of more than \(limits.stringBytes) bytes") }
    throw failure("a string does not end")
  }

  private func utf8(_ bytes: ArraySlice<UInt8>) throws(JSONError) -> String {
    guard bytes.count <= limits.stringBytes else {
      throw failure("a string of more than \(limits.stringBytes) bytes")
    }
    guard let string = String(validating: bytes, as: UTF8.self) else { throw failure("a string is not UTF-8") }
    return string
  }

  private mutating func escape(into bytes: inout [UInt8]) throws(JSONError) {
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
      var code = try unit()
      if (0xd800..<0xdc00).contains(code), take("\\"), take("u") {
        let low = try unit()
        guard (0xdc00..<0xe000).contains(low) else { throw failure("half of a surrogate pair") }
        code = 0x10000 + (code - 0xd800) << 10 + (low - 0xdc00)
      }
      guard let scalar = Unicode.Scalar(code) else { throw failure("half of a surrogate pair") }
      bytes += Array(String(scalar).utf8)
    default: throw failure("an unknown escape in a string")
    }
  }

  /// Four hexadecimal digits, and nothing that stands for a number elsewhere, such as a sign.
  private mutating func unit() throws(JSONError) -> UInt32 {
    var unit: UInt32 = 0
    for _ in 0..<4 {
      guard let digit = peek.flatMap(Hexadecimal.value) else { throw failure("four hexadecimal digits expected") }
      unit = unit << 4 | UInt32(digit)
      position += 1
    }
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

  private func failure(_ problem: String) -> JSONError {
    let before = text.prefix(position)
    let line = before.count { $0 == 0x0a } + 1
    let column = position - (before.lastIndex(of: 0x0a).map { $0 + 1 } ?? 0) + 1
    return JSONError("line \(line), column \(column): no JSON: \(problem)")
  }
}
