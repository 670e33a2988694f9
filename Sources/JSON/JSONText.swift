import Support

extension JSONValue {
  /// The value as people read it: two spaces a level, what fits on a line on one line, and a line feed at the end.
  public var text: [UInt8] {
    var writer = JSONText()
    writer.write(self, indent: 0)
    writer.text.append(0x0a)
    return writer.text
  }
}

extension JSONValue {
  /// The value on one line, without a blank or a line feed.
  public var line: [UInt8] {
    var writer = JSONText()
    writer.writeLine(self)
    return writer.text
  }
}

private struct JSONText {
  var text: [UInt8] = []

  mutating func write(_ value: JSONValue, indent: Int) {
    switch value {
    case .null: text += Array("null".utf8)
    case .bool(let value): text += Array((value ? "true" : "false").utf8)
    case .number(let value): text += Array(String(value).utf8)
    case .string(let value): write(value)
    case .array(let values):
      let isFlat = values.allSatisfy(\.isScalar)
      write(values, "[", "]", indent: indent, isFlat: isFlat) { writer, value, indent in
        writer.write(value, indent: indent)
      }
    case .object(let members):
      let isFlat = members.count <= 8 && members.allSatisfy(\.value.isShort)
      write(members, "{", "}", indent: indent, isFlat: isFlat) { writer, member, indent in
        writer.write(member.name)
        writer.text += Array(": ".utf8)
        writer.write(member.value, indent: indent)
      }
    }
  }

  mutating func writeLine(_ value: JSONValue) {
    switch value {
    case .array(let values):
      text.append(UInt8(ascii: "["))
      for (index, value) in values.enumerated() {
        if index > 0 { text.append(UInt8(ascii: ",")) }
        writeLine(value)
      }
      text.append(UInt8(ascii: "]"))
    case .object(let members):
      text.append(UInt8(ascii: "{"))
      for (index, member) in members.enumerated() {
        if index > 0 { text.append(UInt8(ascii: ",")) }
        write(member.name)
        text.append(UInt8(ascii: ":"))
        writeLine(member.value)
      }
      text.append(UInt8(ascii: "}"))
    default: write(value, indent: 0)
    }
  }

  private mutating func write<Element>(
    _ elements: [Element], _ open: String, _ close: String, indent: Int, isFlat: Bool,
    _ body: (inout JSONText, Element, Int) -> Void
  ) {
    text += Array(open.utf8)
    for (index, element) in elements.enumerated() {
      if index > 0 { text.append(UInt8(ascii: ",")) }
      if isFlat {
        if index > 0 { text.append(0x20) }
      } else {
        breakLine(indent + 2)
      }
      body(&self, element, indent + 2)
    }
    if !isFlat, !elements.isEmpty { breakLine(indent) }
    text += Array(close.utf8)
  }

  private mutating func breakLine(_ indent: Int) {
    text.append(0x0a)
    for _ in 0..<indent { text.append(0x20) }
  }

  private mutating func write(_ string: String) {
    text.append(UInt8(ascii: "\""))
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"", "\\": text += [UInt8(ascii: "\\"), UInt8(ascii: scalar)]
      case let scalar where Escape.isNeeded(for: scalar): text += Array(scalar.escapedForJSON.utf8)
      default: text += Array(UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
      }
    }
    text.append(UInt8(ascii: "\""))
  }
}

extension Unicode.Scalar {
  /// The scalar by the numbers of its UTF-16 units (RFC 8259 section 7), such as `\u001b`.
  public var escapedForJSON: String {
    (UTF16.encode(self) ?? UTF16.encodedReplacementCharacter).map { unit in
      let digits = String(unit, radix: 16)
      return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }.joined()
  }
}

extension JSONValue {
  fileprivate var isScalar: Bool {
    switch self {
    case .array, .object: false
    default: true
    }
  }

  /// Whether it is short enough to stand beside others on a line.
  fileprivate var isShort: Bool {
    if case .string(let string) = self { return string.utf8.count <= 24 }
    return isScalar
  }
}
