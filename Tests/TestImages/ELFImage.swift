/// An ELF file that is written field by field, so that a test can write any of them wrong.
public struct ELFImage: Sendable {
  /// A program header and what it covers.
  public struct Segment: Sendable {
    /// `PT_LOAD` is 1.
    public var type: UInt32 = 1
    /// Where it goes in memory.
    public var address: UInt64
    /// What of it is in the file.
    public var contents: [UInt8]
    /// Its size in memory; nil for the size of the contents.
    public var memorySize: UInt64?
    /// What the header says of its size in the file; nil for the truth.
    public var claimedFileSize: UInt64?

    /// A loadable segment.
    public init(at address: UInt64, _ contents: [UInt8], memorySize: UInt64? = nil) {
      self.address = address
      self.contents = contents
      self.memorySize = memorySize
    }
  }

  /// Whether it is ELF64 rather than ELF32.
  public var is64Bit = true
  /// `EI_DATA`: 1 for little-endian.
  public var byteOrder: UInt8 = 1
  /// `EI_CLASS`; nil for the right one.
  public var fileClass: UInt8?
  /// `e_type`: 2 for ET_EXEC.
  public var type: UInt16 = 2
  /// `e_machine`; nil for the right one.
  public var machine: UInt16?
  /// Where it is entered.
  public var entry: UInt64
  /// `e_phentsize`; nil for the right one.
  public var headerSize: UInt16?
  /// `e_phoff`; nil for the right one.
  public var headerOffset: UInt64?
  /// What it consists of.
  public var segments: [Segment]

  /// An image with one segment of code, entered at its start.
  public init(code: [UInt8], at address: UInt64 = 0x10_0000) {
    entry = address
    segments = [Segment(at: address, code)]
  }

  /// The size of the file header and of one program header.
  public var sizes: (file: Int, program: Int) { is64Bit ? (64, 56) : (52, 32) }

  /// The file.
  public var bytes: [UInt8] {
    var offset = UInt64(sizes.file + sizes.program * segments.count)
    var headers: [UInt8] = []
    for segment in segments {
      headers += header(segment, offset)
      offset += UInt64(segment.contents.count)
    }
    return fileHeader + headers + segments.flatMap(\.contents)
  }

  private var fileHeader: [UInt8] {
    let identification: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, fileClass ?? (is64Bit ? 2 : 1), byteOrder, 1]
    var header = identification + [UInt8](repeating: 0, count: 16 - identification.count)
    header += littleEndian(type) + littleEndian(machine ?? (is64Bit ? 62 : 3)) + littleEndian(UInt32(1))
    header += word(entry) + word(headerOffset ?? UInt64(sizes.file)) + word(0) + littleEndian(UInt32(0))
    header += littleEndian(UInt16(sizes.file)) + littleEndian(headerSize ?? UInt16(sizes.program))
    return header + littleEndian(UInt16(segments.count)) + [UInt8](repeating: 0, count: 6)
  }

  private func header(_ segment: Segment, _ offset: UInt64) -> [UInt8] {
    let fileSize = segment.claimedFileSize ?? UInt64(segment.contents.count)
    let memorySize = segment.memorySize ?? fileSize
    let flags = littleEndian(UInt32(7))
    let start = littleEndian(segment.type) + (is64Bit ? flags : [])
    let places = word(offset) + word(segment.address) + word(segment.address)
    return start + places + word(fileSize) + word(memorySize) + (is64Bit ? [] : flags) + word(1)
  }

  private func word(_ value: UInt64) -> [UInt8] {
    is64Bit ? littleEndian(value) : littleEndian(UInt32(truncatingIfNeeded: value))
  }
}
