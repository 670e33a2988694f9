import SystemPackage

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

/// Takes a stream's fields one by one and says where one is missing.
struct QEMUReader {
  private var source: ByteSource

  /// A file, of which libvirt's header is taken where it begins with one.
  init(file source: ByteSource) throws(ForeignStateError) {
    self.source = source
    let beginning = try reading { (source) throws(Errno) in try source.peek(Self.beginning) }
    if LibvirtHeader.matches(beginning) { try LibvirtHeader.skip(&self) }
  }

  /// How many bytes of a file tell what it is.
  static let beginning = 16

  /// Whether a file begins like a stream, libvirt's header before it or not.
  static func matches(_ beginning: ArraySlice<UInt8>) -> Bool {
    QEMUStream.matches(beginning) || LibvirtHeader.matches(beginning)
  }

  /// How many bytes were taken.
  var offset: UInt64 { source.offset }

  /// A failure at the place that was reached.
  ///
  /// - Parameter back: how many bytes before it the field began.
  func failure(_ problem: String, back: UInt64 = 0) -> ForeignStateError {
    ForeignStateError(.qemu, at: offset - min(back, offset), problem)
  }

  mutating func integer<Value: FixedWidthInteger>(
    _ type: Value.Type, _ what: @autoclosure () -> String
  ) throws(ForeignStateError) -> Value {
    guard let value = try reading({ (source) throws(Errno) in try source.bigEndian(type) }) else {
      throw ended(what())
    }
    return value
  }

  mutating func peek() throws(ForeignStateError) -> UInt8 {
    guard let byte = try reading({ (source) throws(Errno) in try source.peek(1).first }) else {
      throw ended("a section")
    }
    return byte
  }

  mutating func bytes(_ count: Int, _ what: @autoclosure () -> String) throws(ForeignStateError) -> [UInt8] {
    guard let bytes = try reading({ (source) throws(Errno) in try source.bytes(count) }) else { throw ended(what()) }
    return bytes
  }

  mutating func skip(_ count: UInt64, _ what: @autoclosure () -> String) throws(ForeignStateError) {
    guard try reading({ (source) throws(Errno) in try source.skip(count) }) else { throw ended(what()) }
  }

  /// A string behind a byte with its length.
  mutating func string(_ what: @autoclosure () -> String) throws(ForeignStateError) -> String {
    let length = try integer(UInt8.self, what())
    return String(decoding: try bytes(Int(length), what()), as: UTF8.self)
  }

  mutating func rest(atMost limit: Int) throws(ForeignStateError) -> [UInt8] {
    guard let bytes = try reading({ (source) throws(Errno) in try source.rest(atMost: limit) }) else {
      throw failure("at most \(limit >> 20) MiB of devices expected")
    }
    return bytes
  }

  private func ended(_ what: String) -> ForeignStateError { failure("the file ends where \(what) is expected") }

  private mutating func reading<Value>(
    _ body: (inout ByteSource) throws(Errno) -> Value
  ) throws(ForeignStateError) -> Value {
    do throws(Errno) {
      return try body(&source)
    } catch {
      throw failure("it cannot be read: \(error)")
    }
  }
}
