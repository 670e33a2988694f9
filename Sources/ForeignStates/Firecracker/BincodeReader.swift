import KVM
import Support

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
