public import Support
public import SystemPackage

/// The bytes of a file from its beginning to its end, a piece at a time: a stream of many gigabytes takes no more memory
/// than one of a few bytes.
public struct ByteSource {
  private static let pieceSize = 1 << 18

  private let input: FileInput?
  private var piece: [UInt8]
  private var next = 0
  private var end: Int
  private var before: UInt64 = 0

  /// A file's bytes.
  public init(_ input: FileInput) {
    self.input = input
    piece = [UInt8](repeating: 0, count: Self.pieceSize)
    end = 0
  }

  /// Bytes that are there already.
  public init(_ bytes: [UInt8]) {
    input = nil
    piece = bytes
    end = bytes.count
  }

  /// How many bytes were taken.
  public var offset: UInt64 { before + UInt64(next) }

  /// Whether all bytes were taken.
  ///
  /// - Throws: `Errno` of read(2).
  public mutating func isAtEnd() throws(Errno) -> Bool { try !hasMore() }

  /// The bytes that come next, which stay there.
  ///
  /// - Parameter count: how many at the most; of a file no more than one piece has.
  /// - Throws: `Errno` of read(2).
  public mutating func peek(_ count: Int) throws(Errno) -> ArraySlice<UInt8> {
    while end - next < count {
      // What is left of the piece is moved to its beginning, and more is read behind it.
      guard let input, next > 0 || end < piece.count else { break }
      let rest = Array(piece[next..<end])
      before += UInt64(next)
      piece.replaceSubrange(0..<rest.count, with: rest)
      (next, end) = (0, rest.count)
      guard end < piece.count else { break }
      var more = [UInt8](repeating: 0, count: piece.count - end)
      let read = try input.read(into: &more)
      guard read > 0 else { break }
      piece.replaceSubrange(end..<end + read, with: more[..<read])
      end += read
    }
    return piece[next..<min(next + count, end)]
  }

  /// Takes the next byte; nil at the end.
  ///
  /// - Throws: `Errno` of read(2).
  public mutating func byte() throws(Errno) -> UInt8? {
    guard try hasMore() else { return nil }
    next += 1
    return piece[next - 1]
  }

  /// Takes bytes.
  ///
  /// - Parameter count: how many, a number that does not come from the file.
  /// - Returns: nil where there are fewer.
  /// - Throws: `Errno` of read(2).
  public mutating func bytes(_ count: Int) throws(Errno) -> [UInt8]? {
    var bytes: [UInt8] = []
    while bytes.count < count {
      guard try hasMore() else { return nil }
      let part = min(count - bytes.count, end - next)
      bytes += piece[next..<next + part]
      next += part
    }
    return bytes
  }

  /// Takes an integer, most significant byte first; nil where there are fewer bytes.
  ///
  /// - Throws: `Errno` of read(2).
  public mutating func bigEndian<Value: FixedWidthInteger>(_ type: Value.Type) throws(Errno) -> Value? {
    let size = Value.bitWidth / 8
    var value: Value = 0
    if end - next >= size {
      for index in next..<next + size { value = value << 8 | Value(truncatingIfNeeded: piece[index]) }
      next += size
      return value
    }
    for _ in 0..<size {
      guard let byte = try byte() else { return nil }
      value = value << 8 | Value(truncatingIfNeeded: byte)
    }
    return value
  }

  /// Leaves bytes out.
  ///
  /// - Parameter count: how many.
  /// - Returns: whether there were so many.
  /// - Throws: `Errno` of read(2).
  public mutating func skip(_ count: UInt64) throws(Errno) -> Bool {
    var left = count
    while left > 0 {
      guard try hasMore() else { return false }
      let part = min(left, UInt64(end - next))
      next += Int(part)
      left -= part
    }
    return true
  }

  /// All bytes that are left.
  ///
  /// - Parameter limit: how many there may be.
  /// - Returns: nil where there are more.
  /// - Throws: `Errno` of read(2).
  public mutating func rest(atMost limit: Int) throws(Errno) -> [UInt8]? {
    var bytes: [UInt8] = []
    while try hasMore() {
      guard end - next <= limit - bytes.count else { return nil }
      try HostFile.makeRoom(for: end - next, in: &bytes)
      bytes += piece[next..<end]
      next = end
    }
    return bytes
  }

  /// Whether there is another byte; the next piece is read where this one is used up.
  private mutating func hasMore() throws(Errno) -> Bool {
    if next < end { return true }
    return try refill()
  }

  /// Reads another piece once this one is used up; whether there was one.
  private mutating func refill() throws(Errno) -> Bool {
    guard let input else { return false }
    before += UInt64(next)
    (next, end) = (0, 0)
    end = try input.read(into: &piece)
    return end > 0
  }
}
