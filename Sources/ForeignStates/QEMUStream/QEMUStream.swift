import Support
import SystemPackage

/// QEMU's migration stream (QEMU, migration/savevm.c): walked once from its beginning to its end. Guest memory goes by
/// and is not kept; the sections of the devices are, with the description of them that follows.
struct QEMUStream {
  /// What the machine is called, such as `pc-i440fx-7.2`.
  private(set) var machine = ""
  /// The blocks of guest memory.
  private(set) var blocks: [QEMUMemoryBlock] = []
  /// How many pages went by that are not all zero.
  private(set) var pages: UInt64 = 0
  /// The sections of the devices, then the description.
  private(set) var tail: [UInt8] = []
  /// How many bytes of the stream come before `tail`.
  private(set) var tailOffset: UInt64 = 0

  /// The devices of a machine with 4096 vCPUs take less.
  private static let tailLimit = 48 << 20
  private static let magic: UInt32 = 0x5145_564d

  enum SectionType {
    static let end: UInt8 = 0, start: UInt8 = 1, part: UInt8 = 2, last: UInt8 = 3, full: UInt8 = 4
    static let subsection: UInt8 = 5, description: UInt8 = 6, configuration: UInt8 = 7, command: UInt8 = 8
    static let footer: UInt8 = 0x7e
  }

  /// Whether a file begins like one.
  static func matches(_ beginning: ArraySlice<UInt8>) -> Bool { beginning.starts(with: [0x51, 0x45, 0x56, 0x4d]) }

  /// Walks a stream.
  ///
  /// - Parameters:
  ///   - reader: the stream.
  ///   - sink: what takes the pages of guest memory as they go by.
  init(_ reader: inout QEMUReader, _ sink: inout some QEMUPageSink) throws(ForeignStateError) {
    guard try reader.integer(UInt32.self, "the magic QEVM") == Self.magic else {
      throw reader.failure("the magic QEVM expected", back: 4)
    }
    let version = try reader.integer(UInt32.self, "the version")
    guard version == 3 else { throw reader.failure("version 3 expected, not \(version)", back: 4) }
    if try reader.peek() == SectionType.configuration { try readConfiguration(&reader) }
    var memory = QEMUMemoryWalk()
    var early: [UInt8] = []
    walk: while true {
      let type = try reader.peek()
      switch type {
      case SectionType.start, SectionType.part, SectionType.last:
        try memory.section(&reader, &sink)
        if type == SectionType.last { break walk }
      case SectionType.full:
        // A device that is saved before guest memory.
        guard memory.isBegun else {
          early += try Self.earlySection(&reader)
          continue walk
        }
        break walk
      case SectionType.end: break walk
      case SectionType.command: try Self.skipCommand(&reader)
      default: throw reader.failure("a section expected (1 to 4), not \(type)")
      }
    }
    (blocks, pages) = (memory.blocks, memory.pages)
    tailOffset = reader.offset - UInt64(early.count)
    tail = early + (try reader.rest(atMost: Self.tailLimit))
  }

  /// A command for the one that takes the stream (`MIG_CMD_`). From QEMU 10.0 on one comes before the last part of guest memory.
  private static func skipCommand(_ reader: inout QEMUReader) throws(ForeignStateError) {
    _ = try reader.integer(UInt8.self, "a command")
    let command = try reader.integer(UInt16.self, "a command's number")
    // MIG_CMD_OPEN_RETURN_PATH, MIG_CMD_PING and MIG_CMD_SWITCHOVER_START: the stream goes on behind them as without.
    guard [1, 2, 11].contains(command) else {
      throw reader.failure(
        "a stream that was saved to a file expected, not command \(command) of a live migration with postcopy or COLO",
        back: 2)
    }
    try reader.skip(UInt64(try reader.integer(UInt16.self, "a command's length")), "a command")
  }

  private mutating func readConfiguration(_ reader: inout QEMUReader) throws(ForeignStateError) {
    _ = try reader.integer(UInt8.self, "a section")
    let length = try reader.integer(UInt32.self, "the length of the machine's name")
    guard length <= 256 else {
      throw reader.failure("a machine's name of at most 256 bytes expected, not \(length)", back: 4)
    }
    machine = String(decoding: try reader.bytes(Int(length), "the machine's name"), as: UTF8.self)
    while try reader.peek() == SectionType.subsection {
      _ = try reader.integer(UInt8.self, "a subsection")
      let name = try reader.string("a subsection's name")
      _ = try reader.integer(UInt32.self, "a subsection's version")
      switch name {
      case "configuration/target-page-bits":
        let bits = try reader.integer(UInt32.self, "the size of a page")
        guard bits == 12 else { throw reader.failure("pages of 4096 bytes expected, not 2^\(bits)", back: 4) }
      case "configuration/uuid": _ = try reader.bytes(16, "the machine's UUID")
      case "configuration/capabilities":
        let count = try reader.integer(UInt32.self, "a number of capabilities")
        for _ in 0..<count {
          let capability = try reader.string("a capability")
          guard !["mapped-ram", "multifd", "x-ignore-shared", "postcopy-ram"].contains(capability) else {
            throw reader.failure(
              "the stream was saved with the capability \(capability), which is not read: save it without")
          }
        }
      default: throw reader.failure("the subsection \(name.debugDescription) of the configuration is not known")
      }
    }
  }

  /// A section whose length nothing says yet: to the footer with its number that another section follows.
  private static func earlySection(_ reader: inout QEMUReader) throws(ForeignStateError) -> [UInt8] {
    var bytes = try reader.bytes(5, "a section")
    let footer = [SectionType.footer] + bytes[1...]
    while bytes.count < 1 << 20 {
      bytes.append(try reader.integer(UInt8.self, "a section's footer"))
      guard bytes.count > 10, bytes.last == footer[4], bytes.suffix(5).elementsEqual(footer) else { continue }
      if [SectionType.start, SectionType.full].contains(try reader.peek()) { return bytes }
    }
    throw reader.failure("the footer of a section expected within its first MiB")
  }
}

/// A block of guest memory in a stream.
struct QEMUMemoryBlock: Hashable {
  /// Its name, such as `pc.ram`.
  var name: String
  /// Its size in bytes.
  var size: UInt64
}

/// What takes guest memory as a stream goes by.
protocol QEMUPageSink {
  /// Takes a page.
  ///
  /// - Parameters:
  ///   - block: the block's name.
  ///   - address: where it is in the block.
  ///   - reader: the stream, which stands at the 4096 bytes of the page; the sink takes them.
  mutating func page(of block: String, at address: UInt64, _ reader: inout QEMUReader) throws(ForeignStateError)

  /// Takes a page of zeros, which may have been another one before.
  ///
  /// - Parameters:
  ///   - block: the block's name.
  ///   - address: where it is in the block.
  mutating func zeroPage(of block: String, at address: UInt64) throws(ForeignStateError)
}

/// Leaves every page out.
struct QEMUNoPages: QEMUPageSink {
  mutating func page(of block: String, at address: UInt64, _ reader: inout QEMUReader) throws(ForeignStateError) {
    try reader.skip(4096, "a page of memory")
  }

  mutating func zeroPage(of block: String, at address: UInt64) {}
}

/// What libvirt writes before a stream of QEMU's (`virsh save`; libvirt, src/qemu/qemu_saveimage.h).
struct LibvirtHeader {
  /// Whether a file begins with one, whole or unfinished.
  static func matches(_ beginning: ArraySlice<UInt8>) -> Bool {
    beginning.starts(with: "LibvirtQemud".utf8)
  }

  private static let size = 92

  /// Takes the header with the domain's XML, so that the stream comes next.
  static func skip(_ reader: inout QEMUReader) throws(ForeignStateError) {
    let header = try reader.bytes(size, "libvirt's header")
    guard header.starts(with: "LibvirtQemudSave".utf8) else {
      throw reader.failure("the mark LibvirtQemudSave expected: this file was not finished", back: UInt64(size))
    }
    func word(_ index: Int) -> UInt32 { header.littleEndian(UInt32.self, at: 16 + 4 * index) ?? 0 }
    guard (1...2).contains(word(0)) else {
      throw reader.failure("version 1 or 2 of libvirt's header expected, not \(word(0))", back: UInt64(size - 16))
    }
    let programs = ["", "gzip", "bzip2", "xz", "lzop", "zstd"]
    guard word(3) == 0 else {
      guard word(3) < programs.count else {
        throw reader.failure("a stream that is not packed expected, not format \(word(3)) of libvirt's", back: 64)
      }
      let program = programs[Int(word(3))]
      throw reader.failure(
        "a stream that is not compressed expected; libvirt has compressed this one (\(program)): its header and XML are "
          + "\(UInt64(size) + UInt64(word(1))) bytes, and 'tail -c +\(UInt64(size) + UInt64(word(1)) + 1) FILE | "
          + "\(program) -d | lapwing inspect -' reads what follows")
    }
    try reader.skip(UInt64(word(1)), "the domain's XML")
  }
}
