import Support

/// A member of an object that stands for one property of a value: one declaration says how it is written, how it is
/// read, and from which version of the format on it is there.
public struct Field<Root> {
  /// The member's name.
  public let name: String
  /// Its value; nil where it is left out.
  let encode: (Root) -> JSONValue?
  let decode: (inout Root, JSONValue, DecodingContext) throws(JSONError) -> Void
  private let mayBeAbsent: Bool
  private var firstMinor = 0
  private var formerName: (name: String, before: Int)?

  /// A member that every document has.
  public init<Value>(_ name: String, _ path: WritableKeyPath<Root, Value>, _ coding: JSONCoding<Value>) {
    self.init(
      name, encode: { coding.encode($0[keyPath: path]) },
      decode: { (root, json, context) throws(JSONError) in root[keyPath: path] = try coding.decode(json, context) })
  }

  /// A member that is written only where there is a value, and may be `null` or absent.
  public init<Value>(ifAny name: String, _ path: WritableKeyPath<Root, Value?>, _ coding: JSONCoding<Value>) {
    self.init(
      name, mayBeAbsent: true, encode: { $0[keyPath: path].map(coding.encode) },
      decode: { (root, json, context) throws(JSONError) in
        root[keyPath: path] = try JSONCoding<Value?>.optional(coding).decode(json, context)
      })
  }

  /// A member that does not stand for one property.
  public init(
    _ name: String, mayBeAbsent: Bool = false, encode: @escaping (Root) -> JSONValue?,
    decode: @escaping (inout Root, JSONValue, DecodingContext) throws(JSONError) -> Void
  ) {
    self.name = name
    self.mayBeAbsent = mayBeAbsent
    self.encode = encode
    self.decode = decode
  }

  /// A member that is for people: it is written, and not looked at when it is read.
  public static func remark(_ name: String, _ encode: @escaping (Root) -> JSONValue?) -> Field {
    Field(name, mayBeAbsent: true, encode: encode, decode: { _, _, _ in })
  }

  /// The same member, which documents have since a minor version; older ones may be without it.
  public func since(minor: Int) -> Field {
    var field = self
    field.firstMinor = minor
    return field
  }

  /// The same member, which documents before a minor version have by another name.
  public func formerly(_ name: String, beforeMinor minor: Int) -> Field {
    var field = self
    field.formerName = (name, minor)
    return field
  }

  /// The member's name in documents of a minor version.
  func name(inMinor minor: Int) -> String {
    guard let formerName, minor < formerName.before else { return name }
    return formerName.name
  }

  func mustBeThere(inMinor minor: Int) -> Bool { !mayBeAbsent && minor >= firstMinor }
}

extension Field {
  /// A register: `"0x1f"`.
  public static func hex<Value: FixedWidthInteger & UnsignedInteger>(
    _ name: String, _ path: WritableKeyPath<Root, Value>, upTo limit: Value = .max
  ) -> Field { Field(name, path, .hex(upTo: limit)) }

  /// A register that may not be there: `null` then.
  public static func optionalHex<Value: FixedWidthInteger & UnsignedInteger>(
    _ name: String, _ path: WritableKeyPath<Root, Value?>
  ) -> Field { Field(name, path, .optional(.hex)) }

  /// Whether something is so.
  public static func flag(_ name: String, _ path: WritableKeyPath<Root, Bool>) -> Field { Field(name, path, .flag) }

  /// An integer in decimal.
  public static func count<Value: FixedWidthInteger>(
    _ name: String, _ path: WritableKeyPath<Root, Value>, in range: ClosedRange<Value>
  ) -> Field { Field(name, path, .count(in: range)) }

  /// A text of limited size, in bytes.
  public static func text(_ name: String, _ path: WritableKeyPath<Root, String>, atMost limit: Int) -> Field {
    Field(name, path, .text(atMost: limit))
  }

  /// One of a type's names.
  public static func choice<Value: RawRepresentable<String> & CaseIterable>(
    _ name: String, _ path: WritableKeyPath<Root, Value>
  ) -> Field { Field(name, path, .choice) }

  /// An object of its own, in place: members that a document does not have leave the value as it is.
  public static func object<Value>(
    _ name: String, _ path: WritableKeyPath<Root, Value>, _ fields: [Field<Value>]
  ) -> Field {
    Field(
      name, encode: { fields.encode($0[keyPath: path]) },
      decode: { (root, json, context) throws(JSONError) in
        try fields.decode(json, into: &root[keyPath: path], context)
      })
  }
}

extension Array {
  /// The object that a value is written as.
  public func encode<Root>(_ root: Root) -> JSONValue where Element == Field<Root> {
    .object(compactMap { field in field.encode(root).map { JSONValue.Member(field.name, $0) } })
  }

  /// Reads every member of an object into a value. Members that no field names are noted in the context.
  ///
  /// - Throws: `JSONError` with the path of a member that is missing, or is not what it must be.
  public func decode<Root>(
    _ json: JSONValue, into root: inout Root, _ context: DecodingContext
  ) throws(JSONError) where Element == Field<Root> {
    guard case .object(let members) = json else { throw JSONError("an object expected, not \(json.kind)") }
    var taken = [Bool](repeating: false, count: members.count)
    var next = 0
    for field in self {
      let name = field.name(inMinor: context.minor)
      // Members come in the order in which they were written, nearly always.
      let found =
        next < members.count && members[next].name == name ? next : members.firstIndex { $0.name == name }
      guard let found else {
        guard field.mustBeThere(inMinor: context.minor) else { continue }
        throw JSONError("it is missing", at: name)
      }
      taken[found] = true
      next = found + 1
      try context.inside(name) { () throws(JSONError) in try field.decode(&root, members[found].value, context) }
    }
    for (index, member) in members.enumerated() where !taken[index] { context.note(member.name) }
  }
}

/// What is known of the document that is read, and what was found in it that nobody knows.
public final class DecodingContext {
  /// The minor version of the document, which decides what it must have.
  public let minor: Int
  /// The members that no field names, by path.
  public private(set) var unknownMembers: [String] = []

  /// A document can have any number of them.
  private static let limit = 100

  /// - Parameter minor: the minor version of the document.
  public init(minor: Int = .max) { self.minor = minor }

  func note(_ path: String) {
    if unknownMembers.count < Self.limit { unknownMembers.append(path.excerpt) }
  }

  /// Runs what reads a member; what it notes and what it throws has the member's path.
  public func inside<Value>(
    _ name: @autoclosure () -> String, _ body: () throws(JSONError) -> Value
  ) throws(JSONError) -> Value {
    let before = unknownMembers.count
    let value = try JSONError.inside(name(), body)
    for index in before..<unknownMembers.count {
      unknownMembers[index] = JSONError.join(name(), unknownMembers[index])
    }
    return value
  }
}
