import Support

/// A JSON value (RFC 8259) whose numbers are integers, with the members of objects in order.
///
/// Foundation's decoder keeps neither the order nor the names that nobody asked for, and takes a multiple of the time; a
/// machine's state with 64 vCPUs is to be read in a few milliseconds.
public enum JSONValue: Hashable, Sendable {
  /// `null`.
  case null
  /// `true` or `false`.
  case bool(Bool)
  /// An integer.
  case number(Int64)
  /// A string.
  case string(String)
  /// An array.
  case array([JSONValue])
  /// An object, whose members have different names.
  case object([Member])

  /// A member of an object.
  public struct Member: Hashable, Sendable {
    /// Its name.
    public var name: String
    /// Its value.
    public var value: JSONValue

    /// A member.
    public init(_ name: String, _ value: JSONValue) {
      self.name = name
      self.value = value
    }
  }

  /// What kind of value it is, for a person.
  public var kind: String {
    switch self {
    case .null: "null"
    case .bool: "a boolean"
    case .number: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }

  /// An integer of up to 64 bits as `0x1f`.
  public static func hex(_ value: some FixedWidthInteger & UnsignedInteger) -> JSONValue {
    .string("0x" + String(value, radix: 16))
  }
}

/// What is wrong with a document: the place in it, and the problem there.
public struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The place, such as `vcpus[1].localAPIC`; empty for the document as a whole.
  public var path: String
  /// What is wrong, and what was expected.
  public var problem: String

  /// A problem at a place.
  public init(_ problem: String, at path: String = "") {
    self.path = path
    self.problem = problem
  }

  /// `vcpus[1].localAPIC: 1024 bytes expected, not 1000`.
  public var description: String { path.isEmpty ? problem : "\(path): \(problem)" }

  /// Runs what reads or checks a member, and says of its failure where it happened.
  public static func inside<Value>(
    _ member: @autoclosure () -> String, _ body: () throws(JSONError) -> Value
  ) throws(JSONError) -> Value {
    do throws(JSONError) {
      return try body()
    } catch {
      throw JSONError(error.problem, at: join(member(), error.path))
    }
  }

  /// The path of a member of a member.
  static func join(_ outer: String, _ inner: String) -> String {
    let outer = outer.excerpt
    return inner.isEmpty ? outer : inner.hasPrefix("[") ? outer + inner : "\(outer).\(inner)"
  }
}
