/// A member of an object that stands for one property of a value: how it is written and read.
struct Field<Root> {
  let name: String
  let encode: (Root) -> JSONValue
  let decode: (inout Root, JSONValue, DecodingNotes) throws(MalformedState) -> Void
  /// Whether a document may be older than this member, which then does not apply.
  var mayBeAbsent = false

  /// A register: `"0x1f"`.
  static func hex<Value: FixedWidthInteger & UnsignedInteger>(
    _ name: String, _ path: WritableKeyPath<Root, Value>, upTo limit: Value = .max
  ) -> Field {
    Field(
      name: name, encode: { .hex($0[keyPath: path]) },
      decode: { (root, json, _) throws(MalformedState) in
        let value = try json.hex(Value.self)
        guard value <= limit else {
          throw MalformedState("0x\(String(value, radix: 16)) is above 0x\(String(limit, radix: 16))")
        }
        root[keyPath: path] = value
      })
  }

  /// Whether something is so.
  static func flag(_ name: String, _ path: WritableKeyPath<Root, Bool>) -> Field {
    Field(
      name: name, encode: { .bool($0[keyPath: path]) },
      decode: { (root, json, _) throws(MalformedState) in
        root[keyPath: path] = try json.boolean()
      })
  }

  /// A value that may not be there: null then.
  static func optionalHex<Value: FixedWidthInteger & UnsignedInteger>(
    _ name: String, _ path: WritableKeyPath<Root, Value?>
  ) -> Field {
    Field(
      name: name, encode: { $0[keyPath: path].map { .hex($0) } ?? .null },
      decode: {
        (root, json, _) throws(MalformedState) in
        if case .null = json {
          root[keyPath: path] = nil
        } else {
          root[keyPath: path] = try json.hex(Value.self)
        }
      })
  }

  /// An integer in decimal.
  static func count<Value: FixedWidthInteger>(
    _ name: String, _ path: WritableKeyPath<Root, Value>, in range: ClosedRange<Value>
  ) -> Field {
    // A count is far below what an Int64 holds, which its range says.
    Field(
      name: name, encode: { .number(Int64(truncatingIfNeeded: $0[keyPath: path])) },
      decode: {
        (root, json, _) throws(MalformedState) in
        root[keyPath: path] = try json.integer(in: range)
      })
  }

  /// An integer in decimal that may not be there: null, or absent where documents of earlier versions are.
  static func optionalCount<Value: FixedWidthInteger>(
    _ name: String, _ path: WritableKeyPath<Root, Value?>, in range: ClosedRange<Value>
  ) -> Field {
    Field(
      name: name, encode: { $0[keyPath: path].map { .number(Int64(truncatingIfNeeded: $0)) } ?? .null },
      decode: { (root, json, _) throws(MalformedState) in
        root[keyPath: path] = json == .null ? nil : try json.integer(in: range)
      }, mayBeAbsent: true)
  }

  /// A text.
  static func text(_ name: String, _ path: WritableKeyPath<Root, String>, atMost limit: Int) -> Field {
    Field(
      name: name, encode: { .string($0[keyPath: path]) },
      decode: { (root, json, _) throws(MalformedState) in
        root[keyPath: path] = try json.text(atMost: limit)
      })
  }

  /// One of a type's names.
  static func choice<Value: RawRepresentable<String> & CaseIterable>(
    _ name: String, _ path: WritableKeyPath<Root, Value>
  ) -> Field {
    Field(
      name: name, encode: { .string($0[keyPath: path].rawValue) },
      decode: { (root, json, _) throws(MalformedState) in
        root[keyPath: path] = try json.choice(Value.self)
      })
  }

  /// An object of its own.
  static func object<Value>(_ name: String, _ path: WritableKeyPath<Root, Value>, _ fields: [Field<Value>]) -> Field {
    Field(
      name: name, encode: { fields.encode($0[keyPath: path]) },
      decode: { (root, json, notes) throws(MalformedState) in
        try fields.decode(json, into: &root[keyPath: path], notes)
      })
  }
}

extension Array {
  /// The object that a value is written as.
  func encode<Root>(_ root: Root) -> JSONValue where Element == Field<Root> {
    .object(map { JSONValue.Member(name: $0.name, value: $0.encode(root)) })
  }

  /// Reads every member of an object into a value.
  func decode<Root>(
    _ json: JSONValue, into root: inout Root, _ notes: DecodingNotes
  ) throws(MalformedState) where Element == Field<Root> {
    guard case .object(let members) = json else { throw MalformedState("an object expected, not \(json.kind)") }
    var taken = 0
    for (index, field) in enumerated() {
      // Members come in the order in which they were written, nearly always.
      let found =
        index < members.count && members[index].name == field.name
        ? members[index] : members.first { $0.name == field.name }
      guard let found else {
        if field.mayBeAbsent { continue }
        throw MalformedState("it is missing", at: field.name)
      }
      try notes.inside(field.name) { () throws(MalformedState) in try field.decode(&root, found.value, notes) }
      taken += 1
    }
    guard members.count > taken else { return }
    for member in members where !contains(where: { $0.name == member.name }) { notes.add(member.name) }
  }
}
