/// Takes the members of an object one by one, and remembers those that nobody took.
struct ObjectReader {
  private let members: [JSONValue.Member]
  private var isTaken: [Bool]
  private let notes: DecodingNotes

  /// Reads an object.
  ///
  /// - Throws: `MalformedState` where the value is none.
  init(_ value: JSONValue, _ notes: DecodingNotes) throws(MalformedState) {
    guard case .object(let members) = value else { throw MalformedState("an object expected, not \(value.kind)") }
    self.members = members
    isTaken = [Bool](repeating: false, count: members.count)
    self.notes = notes
  }

  /// Decodes the member with that name.
  ///
  /// - Throws: `MalformedState` where it is missing, or what `decode` throws, with the member's path.
  mutating func required<Value>(
    _ name: String, _ decode: (JSONValue, DecodingNotes) throws(MalformedState) -> Value
  ) throws(MalformedState) -> Value {
    guard let value = try optional(name, decode) else { throw MalformedState("it is missing", at: name) }
    return value
  }

  /// Decodes the member with that name; nil where it is missing or null.
  mutating func optional<Value>(
    _ name: String, _ decode: (JSONValue, DecodingNotes) throws(MalformedState) -> Value
  ) throws(MalformedState) -> Value? {
    guard let index = members.firstIndex(where: { $0.name == name }) else { return nil }
    isTaken[index] = true
    if case .null = members[index].value { return nil }
    return try notes.inside(name) { () throws(MalformedState) in try decode(members[index].value, notes) }
  }

  /// Whether there is such a member, and it is not null.
  mutating func has(_ name: String) throws(MalformedState) -> Bool {
    try optional(name) { _, _ throws(MalformedState) in } != nil
  }

  /// Decodes every element of an array.
  mutating func list<Value>(
    _ name: String, atMost limit: Int, _ decode: (JSONValue, DecodingNotes) throws(MalformedState) -> Value
  ) throws(MalformedState) -> [Value] {
    try required(name) { value, notes throws(MalformedState) in
      guard case .array(let elements) = value else { throw MalformedState("an array expected, not \(value.kind)") }
      guard elements.count <= limit else {
        throw MalformedState("at most \(limit) elements expected, not \(elements.count)")
      }
      var values: [Value] = []
      values.reserveCapacity(elements.count)
      for (index, element) in elements.enumerated() {
        values.append(
          try notes.inside("[\(index)]") { () throws(MalformedState) in try decode(element, notes) })
      }
      return values
    }
  }

  /// Notes the members that nobody took.
  func finish() {
    for (index, member) in members.enumerated() where !isTaken[index] { notes.add(member.name) }
  }
}

/// The members of a document that this program does not know, by path.
final class DecodingNotes {
  private(set) var unknownMembers: [String] = []

  /// A document can have any number of them.
  private static let limit = 100

  func add(_ path: String) {
    if unknownMembers.count < Self.limit { unknownMembers.append(path) }
  }

  /// Runs what decodes a member; what it notes and what it throws has the member's path.
  func inside<Value>(
    _ name: @autoclosure () -> String, _ body: () throws(MalformedState) -> Value
  ) throws(MalformedState) -> Value {
    let before = unknownMembers.count
    let value = try member(name(), body)
    for index in before..<unknownMembers.count {
      unknownMembers[index] = MalformedState.join(name(), unknownMembers[index])
    }
    return value
  }
}
