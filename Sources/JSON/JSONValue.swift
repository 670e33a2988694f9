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

/// What a document may take of this process's memory. All are checked while it is read, before room is made.
public struct JSONLimits: Sendable {
  /// The size of the document in bytes.
  public var bytes: Int
  /// How many values it has, those of arrays and objects included.
  public var values: Int
  /// How deep arrays and objects nest.
  public var depth: Int
  /// The size of one string, or of a member's name, in bytes.
  public var stringBytes: Int
  /// Whether numbers from 2^63 to 2^64 - 1 are taken, too, as programs write them that have unsigned integers: they become
  /// the negative number of the same bits.
  public var takesUnsigned: Bool

  /// Limits.
  public init(
    bytes: Int, values: Int, depth: Int = 32, stringBytes: Int = 4 << 20, takesUnsigned: Bool = false
  ) {
    self.bytes = bytes
    self.values = values
    self.depth = depth
    self.stringBytes = stringBytes
    self.takesUnsigned = takesUnsigned
  }

  /// Checks the shape of a document that another parser is to read, which has no limits of its own: its size, and by its
  /// brackets and commas how many values it has and how deep they nest. Whether it is JSON is left to that parser.
  ///
  /// - Parameter text: the whole document.
  /// - Throws: `JSONError` for one beyond a limit.
  public func check(_ text: [UInt8]) throws(JSONError) {
    guard text.count <= bytes else { throw JSONError("at most \(bytes) bytes expected, not \(text.count)") }
    var (values, depth) = (1, 0)
    var position = 0
    while position < text.count {
      switch text[position] {
      case UInt8(ascii: "\""): position = end(ofString: position, in: text)
      case UInt8(ascii: "["), UInt8(ascii: "{"):
        depth += 1
        values += 1
      case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
      case UInt8(ascii: ","): values += 1
      default: break
      }
      guard values <= self.values else { throw JSONError("more than \(self.values) values") }
      guard depth <= self.depth else { throw JSONError("it nests deeper than \(self.depth)") }
      position += 1
    }
  }

  /// Where the quotation mark is that ends a string; the text's end where none does.
  private func end(ofString start: Int, in text: [UInt8]) -> Int {
    var position = start + 1
    while position < text.count, text[position] != UInt8(ascii: "\"") {
      position += text[position] == UInt8(ascii: "\\") ? 2 : 1
    }
    return position
  }
}
