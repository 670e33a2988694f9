import JSON
import Support
import VMM

/// The layout of a file with guest memory, which docs/machine-state.md describes. All numbers are little-endian.
///
/// A header of 64 bytes, a table with 24 bytes a run, and from the next page boundary on the pages of all runs in the
/// order of the table.
struct MemoryFile {
  static let magic = Array("LAPWMEM1".utf8)
  static let headerSize = 64
  static let entrySize = 24
  /// A run has at least one page, and guest memory at most 64 GiB; runs of fewer pages than a megabyte come from holes.
  static let runLimit = 1 << 24

  /// An entry of the table.
  struct Entry: Hashable {
    var address: UInt64
    var pages: UInt64
    var checksum: UInt32
  }

  var id: UInt64
  var size: UInt64
  var entries: [Entry]

  /// The header and the table of an image.
  init(_ image: MemoryImage, id: UInt64) {
    self.init(id: id, size: image.size)
    for run in image.runs { append(run.address, run.bytes) }
  }

  /// The header and a table that has no runs yet.
  init(id: UInt64, size: UInt64) {
    self.id = id
    self.size = size
    entries = []
  }

  /// Adds a run behind the others.
  mutating func append(_ address: UInt64, _ bytes: [UInt8]) {
    entries.append(
      Entry(address: address, pages: UInt64(bytes.count) / GuestMemory.pageSize, checksum: CRC32C.of(bytes)))
  }

  /// Where the pages begin.
  var dataOffset: Int { Self.dataOffset(runs: entries.count) }

  private static func dataOffset(runs: Int) -> Int {
    let end = headerSize + runs * entrySize
    return (end + Int(GuestMemory.pageSize) - 1) & ~(Int(GuestMemory.pageSize) - 1)
  }

  var pages: UInt64 { entries.reduce(0) { $0 + $1.pages } }

  /// Header and table, up to where the pages begin.
  var head: [UInt8] {
    var bytes = Self.magic
    for word in [id, size, UInt64(entries.count), pages] { append(word, to: &bytes) }
    bytes += [UInt8](repeating: 0, count: Self.headerSize - bytes.count)
    for entry in entries {
      for word in [entry.address, entry.pages, UInt64(entry.checksum)] { append(word, to: &bytes) }
    }
    bytes += [UInt8](repeating: 0, count: dataOffset - bytes.count)
    return bytes
  }

  private func append(_ word: UInt64, to bytes: inout [UInt8]) {
    for shift in stride(from: UInt64(0), to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: word >> shift)) }
  }
}

extension MemoryFile {
  /// Reads a header, and says how long header and table are.
  static func headSize(_ header: [UInt8], _ reference: MemoryReference) throws(MalformedState) -> Int {
    guard header.count == headerSize, Array(header[..<8]) == magic else {
      throw MalformedState("the file is no guest memory of version 1", at: "memory.file")
    }
    let count = word(header, 32 - 8)
    guard count <= UInt64(runLimit), count <= reference.pages else {
      throw MalformedState("the file has \(count) runs, with \(reference.pages) pages", at: "memory.file")
    }
    return dataOffset(runs: Int(count))
  }

  /// Reads header and table, and compares them with what the state says of its memory.
  init(head: [UInt8], _ reference: MemoryReference) throws(MalformedState) {
    guard CRC32C.of(head) == reference.checksum else {
      throw MalformedState(
        "the file is not the one that was written with this state, or it is damaged: its table's checksum differs",
        at: "memory.checksum")
    }
    id = Self.word(head, 8)
    size = Self.word(head, 16)
    guard id == reference.id else { throw MalformedState("the file belongs to another state", at: "memory.id") }
    guard size == reference.size else {
      throw MalformedState("the file has memory of \(size) bytes", at: "memory.size")
    }
    entries = []
    var end: UInt64 = 0
    for index in 0..<Int(Self.word(head, 24)) {
      let place = Self.headerSize + index * Self.entrySize
      let entry = Entry(
        address: Self.word(head, place), pages: Self.word(head, place + 8),
        checksum: UInt32(truncatingIfNeeded: Self.word(head, place + 16)))
      guard entry.address.isMultiple(of: GuestMemory.pageSize), entry.address >= end, entry.pages > 0,
        entry.pages <= UInt64(GuestMemory.runLimit) / GuestMemory.pageSize,
        GuestMemory.holds(entry.address, entry.pages * GuestMemory.pageSize, ofSize: size)
      else {
        throw MalformedState("run \(index) of the file is not inside guest memory, or out of order", at: "memory.file")
      }
      end = entry.address + entry.pages * GuestMemory.pageSize
      entries.append(entry)
    }
    guard pages == reference.pages else { throw MalformedState("the file has \(pages) pages", at: "memory.pages") }
  }

  private static func word(_ bytes: [UInt8], _ offset: Int) -> UInt64 {
    bytes[offset..<offset + 8].littleEndian
  }
}

/// CRC-32C, the Castagnoli polynomial (RFC 3720, section 12.1), eight bytes a step.
///
/// It finds what storage and copying break, at a gigabyte a second and in a page of code. It is no defence against a person
/// who changes a file on purpose: what a snapshot contains runs as a guest, with no more rights than any other guest.
enum CRC32C {
  /// The remainders of every byte followed by 0 to 7 zero bytes, 256 after 256.
  private static let table: [UInt32] = {
    var table = [UInt32](repeating: 0, count: 8 * 256)
    for byte in 0..<256 {
      var remainder = UInt32(byte)
      for _ in 0..<8 { remainder = remainder & 1 == 1 ? remainder >> 1 ^ 0x82f6_3b78 : remainder >> 1 }
      table[byte] = remainder
    }
    for index in 256..<table.count {
      let before = table[index - 256]
      table[index] = before >> 8 ^ table[Int(before & 0xff)]
    }
    return table
  }()

  /// The checksum of bytes.
  static func of(_ bytes: [UInt8]) -> UInt32 {
    let table = table.span
    let bytes = bytes.span
    var crc = UInt32.max
    var index = 0
    while index + 8 <= bytes.count {
      let low = crc ^ word(bytes, index)
      let high = word(bytes, index + 4)
      crc = table[0x700 + Int(low & 0xff)] ^ table[0x600 + Int(low >> 8 & 0xff)]
      crc ^= table[0x500 + Int(low >> 16 & 0xff)] ^ table[0x400 + Int(low >> 24)]
      crc ^= table[0x300 + Int(high & 0xff)] ^ table[0x200 + Int(high >> 8 & 0xff)]
      crc ^= table[0x100 + Int(high >> 16 & 0xff)] ^ table[Int(high >> 24)]
      index += 8
    }
    while index < bytes.count {
      crc = crc >> 8 ^ table[Int((crc ^ UInt32(bytes[index])) & 0xff)]
      index += 1
    }
    return ~crc
  }

  private static func word(_ bytes: Span<UInt8>, _ index: Int) -> UInt32 {
    UInt32(bytes[index]) | UInt32(bytes[index + 1]) << 8 | UInt32(bytes[index + 2]) << 16
      | UInt32(bytes[index + 3]) << 24
  }
}
