/// Where a number is in an event or in the head of a page, as a `format` file says it (kernel, `trace_event_call`'s fields).
struct EventField: Hashable, Sendable {
  /// How many bytes come before it.
  var offset: Int
  /// How many bytes it has: 1, 2, 4 or 8, which is all that `load` knows; 0 for a field that is not there, which reads as 0.
  var size: Int
  /// Whether it is signed.
  var isSigned: Bool

  /// A field that this kernel's format does not have.
  static let absent = EventField(offset: 0, size: 0, isSigned: false)

  /// How many bytes there must be for it.
  var end: Int { offset + size }

  /// The number, extended to 64 bits by its sign; 0 where it would be outside of the bytes.
  ///
  /// - Parameters:
  ///   - bytes: a page.
  ///   - base: where in it what has the field begins; from 0.
  @inline(__always)
  func load(_ bytes: RawSpan, at base: Int) -> UInt64 {
    let place = base &+ offset
    // The offset is that of a format, at most `EventFormat.sizeLimit`, and the base is in the page.
    guard place >= 0, place &+ size <= bytes.byteCount else { return 0 }
    switch (size, isSigned) {
    case (4, false): return UInt64(bytes.word(UInt32.self, at: place))
    case (4, true): return UInt64(bitPattern: Int64(bytes.word(Int32.self, at: place)))
    case (1, false): return UInt64(bytes.word(UInt8.self, at: place))
    case (8, _): return bytes.word(UInt64.self, at: place)
    case (2, false): return UInt64(bytes.word(UInt16.self, at: place))
    case (2, true): return UInt64(bitPattern: Int64(bytes.word(Int16.self, at: place)))
    case (1, true): return UInt64(bitPattern: Int64(bytes.word(Int8.self, at: place)))
    default: return 0
    }
  }
}

extension RawSpan {
  /// An integer as x86 has it. Whoever calls has compared the place with `byteCount`; the span does again.
  @inline(__always)
  func word<Value: FixedWidthInteger & BitwiseCopyable>(_ type: Value.Type, at place: Int) -> Value {
    // Sound: any bytes are such an integer, and the span checks that they are its own.
    unsafe unsafeLoadUnaligned(fromByteOffset: place, as: type)
  }
}
