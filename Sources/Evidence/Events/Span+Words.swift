/// Trace text is read as bytes, since cutting it into characters would take longer than the interrupts that it tells of. A
/// word, and what is left of a line, are places in it, since slices of an array would have to be counted.
extension Span<UInt8> {
  /// The next word of a line, up to a space; nil at its end.
  ///
  /// - Parameter line: what is left of the line; the word is taken off it.
  func takeWord(off line: inout Range<Int>) -> Range<Int>? {
    let space = UInt8(ascii: " ")
    var start = line.lowerBound
    while start < line.upperBound, self[start] == space { start += 1 }
    var end = start
    while end < line.upperBound, self[end] != space { end += 1 }
    line = end..<line.upperBound
    return start < end ? start..<end : nil
  }

  /// The word behind `key`; nil where that does not come any more.
  ///
  /// - Parameter line: what is left of the line; all up to that word is taken off it.
  func takeWord(behind key: StaticString, off line: inout Range<Int>) -> Range<Int>? {
    while let word = takeWord(off: &line) {
      if reads(word, key) { return takeWord(off: &line) }
    }
    return nil
  }

  /// Where a byte is first; the end of `places` where it is not.
  func first(_ byte: Unicode.Scalar, in places: Range<Int>) -> Int {
    let byte = UInt8(ascii: byte)
    var place = places.lowerBound
    while place < places.upperBound, self[place] != byte { place += 1 }
    return place
  }

  /// Whether a word reads so.
  func reads(_ word: Range<Int>, _ text: StaticString) -> Bool {
    word.count == text.utf8CodeUnitCount && begins(word, text)
  }

  /// Whether a word begins so.
  func begins(_ word: Range<Int>, _ text: StaticString) -> Bool {
    guard word.count >= text.utf8CodeUnitCount else { return false }
    // Sound: a static string's bytes live for ever, and it knows their count.
    let bytes = unsafe UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
    for index in 0..<text.utf8CodeUnitCount where unsafe self[word.lowerBound + index] != bytes[index] { return false }
    return true
  }

  /// Whether a word, which is never empty, ends in this character.
  func ends(_ word: Range<Int>, _ character: Unicode.Scalar) -> Bool {
    self[word.upperBound - 1] == UInt8(ascii: character)
  }

  /// As text; what is no UTF-8 is replaced.
  func text(_ places: Range<Int>) -> String {
    // Sound: the bytes are not kept.
    unsafe extracting(places).withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
  }

  /// A number without a sign; nil for anything else and for one that does not fit.
  func number<Value: FixedWidthInteger>(
    _ word: Range<Int>, as type: Value.Type = Value.self, radix: Value = 10
  ) -> Value? {
    var value: Value = 0
    guard !word.isEmpty else { return nil }
    for place in word {
      let byte = self[place]
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
