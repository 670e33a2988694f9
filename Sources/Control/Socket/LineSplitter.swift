/// Makes lines of bytes that come in pieces, and keeps no more of one than it may have.
struct LineSplitter {
  /// A line without its end.
  enum Line: Hashable {
    /// All of it.
    case whole([UInt8])
    /// It was longer than a line may be, and is gone.
    case tooLong
  }

  /// How long a line may be, in bytes.
  static let limit = 64 << 10

  private var rest: [UInt8] = []
  private var isTooLong = false

  /// Takes a piece.
  ///
  /// - Returns: the lines that end in it, without those that are empty.
  mutating func take(_ bytes: [UInt8]) -> [Line] {
    var lines: [Line] = []
    var start = bytes.startIndex
    while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
      keep(bytes[start..<end])
      if let line = finish() { lines.append(line) }
      start = end + 1
    }
    keep(bytes[start...])
    return lines
  }

  /// Ends the line that has begun.
  ///
  /// - Returns: it; nil where none has.
  mutating func finish() -> Line? {
    defer { (rest, isTooLong) = ([], false) }
    if isTooLong { return .tooLong }
    if rest.last == UInt8(ascii: "\r") { rest.removeLast() }
    return rest.isEmpty ? nil : .whole(rest)
  }

  private mutating func keep(_ bytes: ArraySlice<UInt8>) {
    guard !isTooLong, rest.count + bytes.count <= Self.limit else {
      (rest, isTooLong) = ([], true)
      return
    }
    rest += bytes
  }
}
