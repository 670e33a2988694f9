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
