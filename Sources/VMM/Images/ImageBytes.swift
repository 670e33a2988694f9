/// An image as it lies in its file, read with every access checked.
public struct ImageBytes: Sendable {
  /// The bytes themselves.
  public let bytes: [UInt8]

  /// Takes the contents of a file.
  public init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  /// How many there are.
  public var count: Int { bytes.count }

  /// A little-endian number at `offset`, or nil where the image ends before its last byte.
  func load<T: FixedWidthInteger & UnsignedInteger>(_ type: T.Type, at offset: UInt64) -> T? {
    let size = UInt64(MemoryLayout<T>.size)
    guard size <= UInt64(bytes.count), offset <= UInt64(bytes.count) - size else { return nil }
    var value: T = 0
    for index in (0..<Int(size)).reversed() { value = value << 8 | T(truncatingIfNeeded: bytes[Int(offset) + index]) }
    return value
  }

  /// The same, where a missing byte is an error that names `what` was looked for.
  func load<T: FixedWidthInteger & UnsignedInteger>(
    _ type: T.Type, at offset: UInt64, _ what: String
  ) throws(ImageError) -> T {
    guard let value = load(type, at: offset) else { throw .truncated(what: what) }
    return value
  }
}
