extension JSONValue {
  /// An unsigned integer written as `0x1f`.
  ///
  /// - Throws: `MalformedState` for anything else, and for more bits than the type has.
  func hex<Value: FixedWidthInteger & UnsignedInteger>(_ type: Value.Type) throws(MalformedState) -> Value {
    guard case .string(let text) = self else { throw MalformedState("a string such as \"0x1f\" expected, not \(kind)") }
    guard let integer = Hexadecimal.integer(text) else {
      throw MalformedState("a number such as \"0x1f\" with at most 16 digits expected, not \"\(text.prefix(40))\"")
    }
    guard let value = Value(exactly: integer) else {
      throw MalformedState("\(text) has more than \(Value.bitWidth) bits")
    }
    return value
  }

  /// An integer in a range.
  func integer<Value: FixedWidthInteger>(in range: ClosedRange<Value>) throws(MalformedState) -> Value {
    guard case .number(let number) = self else { throw MalformedState("a number expected, not \(kind)") }
    guard let value = Value(exactly: number), range.contains(value) else {
      throw MalformedState("\(number) is not from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  /// A boolean.
  func boolean() throws(MalformedState) -> Bool {
    guard case .bool(let value) = self else { throw MalformedState("true or false expected, not \(kind)") }
    return value
  }

  /// A string of limited length, in bytes.
  func text(atMost limit: Int) throws(MalformedState) -> String {
    guard case .string(let text) = self else { throw MalformedState("a string expected, not \(kind)") }
    guard text.utf8.count <= limit else {
      throw MalformedState("at most \(limit) bytes of text expected, not \(text.utf8.count)")
    }
    return text
  }

  /// Bytes as hexadecimal digits.
  func bytes(atMost limit: Int) throws(MalformedState) -> [UInt8] {
    guard case .string(let text) = self else {
      throw MalformedState("a string of hexadecimal digits expected, not \(kind)")
    }
    guard let bytes = Hexadecimal.bytes(text) else {
      throw MalformedState("an even number of hexadecimal digits expected")
    }
    guard bytes.count <= limit else { throw MalformedState("at most \(limit) bytes expected, not \(bytes.count)") }
    return bytes
  }

  /// One of a type's names.
  func choice<Value: RawRepresentable<String> & CaseIterable>(_ type: Value.Type) throws(MalformedState) -> Value {
    let text = try text(atMost: 200)
    guard let value = Value(rawValue: text) else {
      let names = Value.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
      throw MalformedState("one of \(names) expected, not \"\(text)\"")
    }
    return value
  }
}
