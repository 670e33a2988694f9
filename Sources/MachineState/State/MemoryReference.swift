/// The file with guest memory that belongs to a state.
public struct MemoryReference: Hashable, Sendable {
  /// Its name, beside the state's own file.
  public var file: String
  /// What both files carry, so that they are not taken for a pair by accident.
  public var id: UInt64
  /// The size of guest memory in bytes.
  public var size: UInt64
  /// How many pages of 4096 bytes the file has: those that are not all zero.
  public var pages: UInt64
  /// The CRC-32C of the file's header and table of runs, which has those of the pages.
  public var checksum: UInt32

  /// A reference to a file.
  public init(file: String, id: UInt64, size: UInt64, pages: UInt64, checksum: UInt32) {
    self.file = file
    self.id = id
    self.size = size
    self.pages = pages
    self.checksum = checksum
  }
}
