/// An access that does not lie within a mapping, or not on its boundaries.
public enum MemoryError: Error, Hashable, Sendable {
  /// `count` bytes at `offset` are not all inside the mapping's `size` bytes.
  case outOfRange(offset: Int, count: Int, size: Int)

  /// The offset is not a multiple of the access's natural alignment, in bytes.
  case misaligned(offset: Int, alignment: Int)
}

extension MemoryError: CustomStringConvertible {
  /// The access and what it violates.
  public var description: String {
    switch self {
    case .outOfRange(let offset, let count, let size):
      "\(count) bytes at offset \(offset) are not inside \(size) bytes of memory"
    case .misaligned(let offset, let alignment):
      "offset \(offset) is not a multiple of \(alignment)"
    }
  }
}
