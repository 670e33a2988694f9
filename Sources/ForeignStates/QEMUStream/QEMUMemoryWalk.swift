/// The sections of guest memory in a stream (QEMU, migration/ram.c).
struct QEMUMemoryWalk {
  private(set) var blocks: [QEMUMemoryBlock] = []
  private(set) var pages: UInt64 = 0
  private(set) var isBegun = false
  private var section: UInt32 = 0
  private var block = QEMUMemoryBlock(name: "", size: 0)

  /// Flags in the low bits of a page's address.
  private enum Flag {
    static let zero: UInt64 = 0x02, sizes: UInt64 = 0x04, page: UInt64 = 0x08, end: UInt64 = 0x10
    static let sameBlock: UInt64 = 0x20, delta: UInt64 = 0x40, compressed: UInt64 = 0x100, flush: UInt64 = 0x200
    static let all: UInt64 = 0xfff
  }

  private static let blockLimit = 4096

  /// Goes through one section.
  mutating func section(
    _ reader: inout QEMUReader, _ sink: inout some QEMUPageSink
  ) throws(ForeignStateError) {
    let type = try reader.integer(UInt8.self, "a section")
    let number = try reader.integer(UInt32.self, "a section's number")
    if type == QEMUStream.SectionType.start {
      let name = try reader.string("a section's name")
      guard name == "ram", !isBegun else {
        throw reader.failure(
          "guest memory (ram) expected, not another section that is saved in parts: " + name.debugDescription)
      }
      _ = try reader.integer(UInt32.self, "an instance")
      let version = try reader.integer(UInt32.self, "a version")
      guard version == 4 else { throw reader.failure("version 4 of ram expected, not \(version)", back: 4) }
      (section, isBegun) = (number, true)
    }
    guard isBegun, number == section else {
      throw reader.failure("section \(section) of guest memory expected, not \(number)", back: 4)
    }
    while try record(&reader, &sink) {}
    let footer = try reader.integer(UInt8.self, "a section's footer")
    guard footer == QEMUStream.SectionType.footer else {
      throw reader.failure("a section's footer (0x7e) expected, not \(footer)", back: 1)
    }
    guard try reader.integer(UInt32.self, "a section's number") == number else {
      throw reader.failure("the footer of section \(number) expected", back: 4)
    }
  }

  /// Goes through one record; whether another one follows.
  private mutating func record(
    _ reader: inout QEMUReader, _ sink: inout some QEMUPageSink
  ) throws(ForeignStateError) -> Bool {
    let header = try reader.integer(UInt64.self, "a page's address")
    let (address, flags) = (header & ~Flag.all, header & Flag.all)
    switch flags & ~Flag.sameBlock {
    case Flag.end: return false
    case Flag.flush: break
    case Flag.sizes: try sizes(address, &reader)
    case Flag.page:
      try findBlock(address, flags, &reader)
      pages += 1
      try sink.page(of: block.name, at: address, &reader)
    case Flag.zero:
      try findBlock(address, flags, &reader)
      let fill = try reader.integer(UInt8.self, "a page's byte")
      guard fill == 0 else { throw reader.failure("a page of zeros expected, not of \(fill)", back: 1) }
      try sink.zeroPage(of: block.name, at: address)
    case Flag.delta, Flag.compressed:
      throw reader.failure(
        "a page that was packed by QEMU itself (xbzrle or compress): save without these capabilities", back: 8)
    default:
      throw reader.failure("a page's flags 0x\(String(flags, radix: 16)) are not known", back: 8)
    }
    return true
  }

  /// Takes the name of a page's block, where it is not that of the page before, and makes sure that the page is in it.
  private mutating func findBlock(
    _ address: UInt64, _ flags: UInt64, _ reader: inout QEMUReader
  ) throws(ForeignStateError) {
    if flags & Flag.sameBlock == 0 {
      let name = try reader.string("a memory block's name")
      guard let named = blocks.first(where: { $0.name == name }) else {
        throw reader.failure("a memory block whose size was said expected, not \(name.debugDescription)")
      }
      block = named
    }
    guard address < block.size else {
      throw reader.failure(
        "a page within the \(block.size) bytes of \(block.name.debugDescription) expected, not at "
          + "0x\(String(address, radix: 16))")
    }
  }

  /// The names and sizes of all blocks, which add up to `total`.
  private mutating func sizes(_ total: UInt64, _ reader: inout QEMUReader) throws(ForeignStateError) {
    var left = total
    while left > 0 {
      guard blocks.count < Self.blockLimit else {
        throw reader.failure("at most \(Self.blockLimit) blocks of memory expected")
      }
      let name = try reader.string("a memory block's name")
      let size = try reader.integer(UInt64.self, "a memory block's size")
      guard size > 0, size <= left else {
        throw reader.failure("a block of at most \(left) bytes expected, not \(size)", back: 8)
      }
      blocks.append(QEMUMemoryBlock(name: name, size: size))
      left -= size
    }
  }
}
