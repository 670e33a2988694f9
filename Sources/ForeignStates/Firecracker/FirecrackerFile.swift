import KVM
import Support

/// The frame of Firecracker's `vmstate` file: a magic, the version of what follows, the state, a checksum (firecracker,
/// src/vmm/src/snapshot/mod.rs).
struct FirecrackerFile {
  /// The version of the state.
  let major: Int
  /// The bytes of the file.
  let bytes: [UInt8]
  /// Where the state begins, and where it ends.
  let state: Range<Int>

  /// The magic of x86-64, in whose low half Firecracker before 1.7 had the version of the state.
  private static let magic: UInt64 = 0x0710_1984_8664_0000
  private static let checksumSize = 8

  /// Whether a file begins like one, of any version. Crate bitcode puts a byte before the magic where it packs numbers.
  static func matches(_ beginning: ArraySlice<UInt8>) -> Bool {
    (0...1).contains { magic(of: beginning, at: $0) != nil }
  }

  private static func magic(of bytes: some RandomAccessCollection<UInt8>, at offset: Int) -> UInt64? {
    bytes.littleEndian(UInt64.self, at: offset).flatMap { $0 & ~0xffff == magic ? $0 : nil }
  }

  /// Checks the frame of a file.
  init(_ bytes: [UInt8]) throws(ForeignStateError) {
    var reader = BincodeReader(bytes, end: bytes.count)
    let found = try reader.integer(UInt64.self, "the magic 0x0710198486640000")
    guard found & ~0xffff == Self.magic else {
      if Self.magic(of: bytes, at: 1) != nil { throw Self.packed(bytes) }
      throw reader.failure("the magic 0x0710198486640000 of x86-64 expected", back: 8)
    }
    guard found == Self.magic else {
      throw reader.failure(
        "the state's version \(found & 0xffff) is of Firecracker before 1.7, which is not read; \(Self.read)", back: 8)
    }
    guard let length = bytes.littleEndian(UInt64.self, at: reader.offset), (5...32).contains(length) else {
      throw Self.packed(bytes)
    }
    let version = try reader.string("the state's version")
    let numbers = version.split(separator: ".", omittingEmptySubsequences: false).map { UInt16($0) }
    guard numbers.count == 3, let major = numbers[0], numbers.allSatisfy({ $0 != nil }) else {
      throw reader.failure("a version such as 8.0.0 expected, not \(version.excerpt.debugDescription)")
    }
    guard !FirecrackerLayout.layouts(major: Int(major)).isEmpty else {
      throw reader.failure("the state's version \(version) is not read; \(Self.read)")
    }
    let end = bytes.count - Self.checksumSize
    guard end >= reader.offset, let checksum = bytes.littleEndian(UInt64.self, at: end) else {
      throw reader.failure("the file ends where the state is expected")
    }
    guard CRC64.of(bytes[..<end]) == checksum else {
      throw ForeignStateError(
        .firecracker, at: UInt64(end), "the file is damaged or not whole: its checksum differs")
    }
    self.bytes = bytes
    self.major = Int(major)
    state = reader.offset..<end
  }

  /// What is read, for a person.
  private static let read = "2.0.0 to 6.0.0 and 8.0.0 are (Firecracker 1.8 to 1.14)"

  /// A file of crate bitcode's, with the version's number where it can be found near the beginning.
  private static func packed(_ bytes: [UInt8]) -> ForeignStateError {
    let text = String(decoding: bytes.prefix(64).map { (0x20..<0x7f).contains($0) ? $0 : 0x20 }, as: UTF8.self)
    let version = text.split(separator: " ").first {
      let parts = $0.split(separator: ".", omittingEmptySubsequences: false)
      return parts.count == 3 && parts.allSatisfy { UInt16($0) != nil }
    }
    let name =
      version.map { "the state's version \($0), packed by crate bitcode," } ?? "a state packed by crate bitcode"
    return ForeignStateError(
      .firecracker, at: 0, "\(name) is of Firecracker 1.15 or later, which is not read; \(read)")
  }
}

/// The checksum at the end of Firecracker's files: CRC-64 by the polynomial of Jones, reflected, from 0 (crate `crc64`).
private enum CRC64 {
  private static let table: [UInt64] = (0..<256).map { byte in
    (0..<8).reduce(UInt64(byte)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0x95ac_9329_ac4b_c9b5 : value >> 1 }
  }

  /// The checksum of bytes.
  static func of(_ bytes: some Sequence<UInt8>) -> UInt64 {
    bytes.reduce(0) { table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] ^ $0 >> 8 }
  }
}

/// Takes values one by one as Rust's crate bincode writes them with integers of fixed size, least significant byte first:
/// a length or a count has 64 bits, a variant 32, an option and a boolean one byte.
struct BincodeReader {
  private let bytes: [UInt8]
  private let end: Int
  private(set) var offset: Int

  /// - Parameters:
  ///   - bytes: the file.
  ///   - end: where it ends for this reader.
  init(_ bytes: [UInt8], from offset: Int = 0, end: Int) {
    self.bytes = bytes
    self.end = min(end, bytes.count)
    self.offset = offset
  }

  func failure(_ problem: String, back: Int = 0) -> ForeignStateError {
    ForeignStateError(.firecracker, at: UInt64(max(offset - back, 0)), problem)
  }

  mutating func integer<Value: FixedWidthInteger>(
    _ type: Value.Type, _ what: @autoclosure () -> String
  ) throws(ForeignStateError) -> Value {
    let size = Value.bitWidth / 8
    guard size <= end - offset, let value = bytes.littleEndian(type, at: offset) else {
      throw failure("the file ends where \(what()) is expected")
    }
    offset += size
    return value
  }

  /// A count of things that have at least so many bytes each, for which there is room in the file.
  mutating func count(of size: Int, _ what: @autoclosure () -> String) throws(ForeignStateError) -> Int {
    let count = try integer(UInt64.self, what())
    guard count <= UInt64((end - offset) / size) else {
      throw failure("\(what()) that the file has room for expected, not \(count)", back: 8)
    }
    return Int(count)
  }

  /// Bytes behind their count.
  mutating func bytes(_ what: @autoclosure () -> String) throws(ForeignStateError) -> [UInt8] {
    let count = try count(of: 1, "a number of bytes of \(what())")
    offset += count
    return Array(bytes[offset - count..<offset])
  }

  mutating func string(_ what: @autoclosure () -> String) throws(ForeignStateError) -> String {
    let start = offset
    guard let string = String(validating: try bytes(what()), as: UTF8.self) else {
      throw failure("\(what()) in UTF-8 expected", back: offset - start)
    }
    return string
  }

  mutating func bool(_ what: @autoclosure () -> String) throws(ForeignStateError) -> Bool {
    let byte = try integer(UInt8.self, what())
    guard byte <= 1 else { throw failure("\(what()) (0 or 1) expected, not \(byte)", back: 1) }
    return byte == 1
  }

  mutating func option<Value>(
    _ what: @autoclosure () -> String, _ body: (inout BincodeReader) throws(ForeignStateError) -> Value
  ) throws(ForeignStateError) -> Value? {
    try bool("whether there is \(what())") ? try body(&self) : nil
  }

  /// Which variant of an enumeration it is.
  mutating func variant(below limit: UInt32, _ what: @autoclosure () -> String) throws(ForeignStateError) -> UInt32 {
    let variant = try integer(UInt32.self, what())
    guard variant < limit else { throw failure("\(what()) below \(limit) expected, not \(variant)", back: 4) }
    return variant
  }

  /// A structure of KVM's.
  mutating func structure<Value>(_ kind: KVMStructure<Value>) throws(ForeignStateError) -> Value {
    let start = offset
    let bytes = try bytes(kind.name)
    // A later kernel's header may have made it longer, by fields and not by pages.
    guard bytes.count <= kind.size + 4096, let value = kind.value(of: bytes) else {
      throw failure("\(kind.name) of \(kind.size) bytes expected, not \(bytes.count)", back: offset - start)
    }
    return value
  }

  /// A list of them.
  mutating func structures<Value>(_ kind: KVMStructure<Value>) throws(ForeignStateError) -> [Value] {
    var values: [Value] = []
    for _ in 0..<(try count(of: 8 + kind.size, "a number of \(kind.name)")) { values.append(try structure(kind)) }
    return values
  }

  /// Leaves out a structure that nothing is taken of.
  mutating func skipStructure(_ size: Int, _ name: String) throws(ForeignStateError) {
    let count = try bytes(name).count
    guard (size...size + 4096).contains(count) else {
      throw failure("\(name) of \(size) bytes expected, not \(count)", back: count + 8)
    }
  }
}
