import Support

/// How values of a type are written as JSON and read: the smallest part of a declaration (`Field`).
public struct JSONCoding<Value> {
  /// What a value is written as.
  public let encode: (Value) -> JSONValue
  /// Reads a value, and refuses what it cannot be.
  public let decode: (JSONValue, DecodingContext) throws(JSONError) -> Value

  /// A coding.
  public init(
    encode: @escaping (Value) -> JSONValue, decode: @escaping (JSONValue, DecodingContext) throws(JSONError) -> Value
  ) {
    self.encode = encode
    self.decode = decode
  }

  /// The coding of what another type's values stand for.
  public func map<Other>(
    _ make: @escaping (Value) throws(JSONError) -> Other, back: @escaping (Other) -> Value
  ) -> JSONCoding<Other> {
    JSONCoding<Other>(
      encode: { encode(back($0)) },
      decode: { (json, context) throws(JSONError) in try make(try decode(json, context)) })
  }

  /// An object with these members.
  ///
  /// - Parameter initial: what members that a document does not have leave as it is.
  public static func object(_ fields: [Field<Value>], _ initial: Value) -> JSONCoding {
    JSONCoding(
      encode: { fields.encode($0) },
      decode: { (json, context) throws(JSONError) in
        var value = initial
        try fields.decode(json, into: &value, context)
        return value
      })
  }

  /// `null`, or what another coding says.
  public static func optional<Wrapped>(_ coding: JSONCoding<Wrapped>) -> JSONCoding where Value == Wrapped? {
    JSONCoding(
      encode: { $0.map(coding.encode) ?? .null },
      decode: { (json, context) throws(JSONError) in json == .null ? nil : try coding.decode(json, context) })
  }

  /// An array.
  public static func list<Element>(
    of coding: JSONCoding<Element>, atMost limit: Int
  ) -> JSONCoding where Value == [Element] {
    JSONCoding(
      encode: { .array($0.map(coding.encode)) },
      decode: { (json, context) throws(JSONError) in
        guard case .array(let elements) = json else { throw JSONError("an array expected, not \(json.kind)") }
        guard elements.count <= limit else {
          throw JSONError("at most \(limit) elements expected, not \(elements.count)")
        }
        var values: [Element] = []
        values.reserveCapacity(elements.count)
        for (index, element) in elements.enumerated() {
          values.append(
            try context.inside("[\(index)]") { () throws(JSONError) in try coding.decode(element, context) })
        }
        return values
      })
  }

  /// An array of so many elements.
  public static func list<Element>(
    of coding: JSONCoding<Element>, count: Int
  ) -> JSONCoding where Value == [Element] {
    let list = list(of: coding, atMost: count)
    return JSONCoding(
      encode: list.encode,
      decode: { (json, context) throws(JSONError) in
        guard case .array(let elements) = json, elements.count == count else {
          throw JSONError("an array of \(count) elements expected")
        }
        return try list.decode(json, context)
      })
  }

  /// An object whose members' names are data.
  public static func dictionary<Name, Element>(
    _ name: JSONCoding<Name>, _ coding: JSONCoding<Element>, atMost limit: Int
  ) -> JSONCoding where Value == [(Name, Element)] {
    JSONCoding(
      encode: {
        .object(
          $0.map { key, value in
            guard case .string(let text) = name.encode(key) else { return JSONValue.Member("", coding.encode(value)) }
            return JSONValue.Member(text, coding.encode(value))
          })
      },
      decode: { (json, context) throws(JSONError) in
        guard case .object(let members) = json else { throw JSONError("an object expected, not \(json.kind)") }
        guard members.count <= limit else {
          throw JSONError("at most \(limit) members expected, not \(members.count)")
        }
        var pairs: [(Name, Element)] = []
        pairs.reserveCapacity(members.count)
        for member in members {
          pairs.append(
            try context.inside(member.name) { () throws(JSONError) in
              (try name.decode(.string(member.name), context), try coding.decode(member.value, context))
            })
        }
        return pairs
      })
  }
}

extension JSONCoding where Value: FixedWidthInteger & UnsignedInteger {
  /// A register: `"0x1f"`.
  public static var hex: JSONCoding { hex(upTo: .max) }

  /// A register that is at most `limit`.
  public static func hex(upTo limit: Value) -> JSONCoding {
    JSONCoding(
      encode: { .hex($0) },
      decode: { (json, _) throws(JSONError) in
        guard case .string(let text) = json else {
          throw JSONError("a string such as \"0x1f\" expected, not \(json.kind)")
        }
        guard let integer = Hexadecimal.integer(text) else {
          throw JSONError("a number such as \"0x1f\" with at most 16 digits expected, not \"\(text.excerpt)\"")
        }
        guard let value = Value(exactly: integer) else {
          throw JSONError("\(text) has more than \(Value.bitWidth) bits")
        }
        guard value <= limit else {
          throw JSONError("0x\(String(value, radix: 16)) is above 0x\(String(limit, radix: 16))")
        }
        return value
      })
  }
}

extension JSONCoding where Value: FixedWidthInteger {
  /// An integer in decimal. Its range lies within that of an `Int64`.
  public static func count(in range: ClosedRange<Value>) -> JSONCoding {
    JSONCoding(
      encode: { .number(Int64(truncatingIfNeeded: $0)) },
      decode: { (json, _) throws(JSONError) in
        guard case .number(let number) = json else { throw JSONError("a number expected, not \(json.kind)") }
        guard let value = Value(exactly: number), range.contains(value) else {
          throw JSONError("\(number) is not from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
      })
  }
}

extension JSONCoding where Value == Bool {
  /// Whether something is so.
  public static var flag: JSONCoding {
    JSONCoding(
      encode: { .bool($0) },
      decode: { (json, _) throws(JSONError) in
        guard case .bool(let value) = json else { throw JSONError("true or false expected, not \(json.kind)") }
        return value
      })
  }
}

extension JSONCoding where Value == String {
  /// A text of limited size, in bytes.
  public static func text(atMost limit: Int) -> JSONCoding {
    JSONCoding(
      encode: { .string($0) },
      decode: { (json, _) throws(JSONError) in
        guard case .string(let text) = json else { throw JSONError("a string expected, not \(json.kind)") }
        guard text.utf8.count <= limit else {
          throw JSONError("at most \(limit) bytes of text expected, not \(text.utf8.count)")
        }
        return text
      })
  }
}

extension JSONCoding where Value == [UInt8] {
  /// Bytes as hexadecimal digits.
  public static func bytes(atMost limit: Int) -> JSONCoding {
    JSONCoding(
      encode: { .string(Hexadecimal.text($0)) },
      decode: { (json, _) throws(JSONError) in
        guard case .string(let text) = json else {
          throw JSONError("a string of hexadecimal digits expected, not \(json.kind)")
        }
        guard text.utf8.count / 2 <= limit else {
          throw JSONError("at most \(limit) bytes expected, not \(text.utf8.count / 2)")
        }
        guard let bytes = Hexadecimal.bytes(text) else {
          throw JSONError("an even number of hexadecimal digits expected")
        }
        return bytes
      })
  }
}

extension JSONCoding {
  /// One of a few values, by name.
  public static func choice(_ names: KeyValuePairs<String, Value>) -> JSONCoding where Value: Equatable {
    JSONCoding(
      encode: { value in .string(names.first { $0.value == value }?.key ?? "") },
      decode: { (json, _) throws(JSONError) in
        let text = try JSONCoding<String>.text(atMost: 200).decode(json, DecodingContext())
        guard let found = names.first(where: { $0.key == text }) else {
          let list = names.map { "\"\($0.key)\"" }.joined(separator: ", ")
          throw JSONError("one of \(list) expected, not \"\(text)\"")
        }
        return found.value
      })
  }
}

extension JSONCoding where Value: RawRepresentable<String> & CaseIterable {
  /// One of a type's names.
  public static var choice: JSONCoding {
    JSONCoding(
      encode: { .string($0.rawValue) },
      decode: { (json, context) throws(JSONError) in
        let text = try JSONCoding<String>.text(atMost: 200).decode(json, context)
        guard let value = Value(rawValue: text) else {
          let names = Value.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
          throw JSONError("one of \(names) expected, not \"\(text)\"")
        }
        return value
      })
  }
}
