import Support

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
    Int(exactly: offset).flatMap { bytes.littleEndian(type, at: $0) }
  }

  /// The same, where a missing byte is an error that names `what` was looked for.
  func load<T: FixedWidthInteger & UnsignedInteger>(
    _ type: T.Type, at offset: UInt64, _ what: String
  ) throws(ImageError) -> T {
    guard let value = load(type, at: offset) else { throw .truncated(what: what) }
    return value
  }
}
