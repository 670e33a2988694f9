import SystemPackage

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
