/// A word of trace text: bytes, since cutting text into characters would take longer than the interrupts that it tells of.
typealias TraceWord = ArraySlice<UInt8>

extension TraceWord {
  /// The words of a line, between spaces.
  func words() -> [TraceWord] { split(separator: UInt8(ascii: " ")) }

  /// The word up to the next space, taken off the line; nil at its end.
  mutating func takeWord() -> TraceWord? {
    self = drop { $0 == UInt8(ascii: " ") }
    guard !isEmpty else { return nil }
    let word = prefix { $0 != UInt8(ascii: " ") }
    self = self[word.endIndex...]
    return word
  }

  /// As text; what is no UTF-8 is replaced.
  var text: String { String(decoding: self, as: UTF8.self) }

  /// Whether it reads so.
  func reads(_ text: StaticString) -> Bool { count == text.utf8CodeUnitCount && begins(text) }

  /// Whether it begins so.
  func begins(_ text: StaticString) -> Bool {
    guard count >= text.utf8CodeUnitCount else { return false }
    // Sound: a static string's bytes live for ever, and it knows their count.
    return unsafe prefix(text.utf8CodeUnitCount)
      .elementsEqual(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  /// Whether it ends in this character.
  func ends(_ character: Unicode.Scalar) -> Bool { last == UInt8(ascii: character) }

  /// A number without a sign; nil for anything else and for one that does not fit.
  func number<Value: FixedWidthInteger>(_ type: Value.Type = Value.self, radix: Value = 10) -> Value? {
    var value: Value = 0
    guard !isEmpty else { return nil }
    for byte in self {
      let digit: UInt8
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
      case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
      default: return nil
      }
      guard digit < radix else { return nil }
      let (scaled, tooLarge) = value.multipliedReportingOverflow(by: radix)
      let (sum, overflows) = scaled.addingReportingOverflow(Value(digit))
      guard !tooLarge, !overflows else { return nil }
      value = sum
    }
    return value
  }
}
