/// Parts of texts that others wrote, found by bytes and scalars: one `Character` may be as long as the whole text, and
/// finding where one begins may take a look at all of it (Unicode, UAX #29: flags are pairs of symbols in a row).
extension String {
  /// The end of the text in a number of bytes.
  ///
  /// - Parameter limit: how many bytes, from 0 on. A scalar that does not fit whole is left out.
  public func end(atMost limit: Int) -> String {
    var bytes = utf8.suffix(limit)
    // UTF-8: every byte of a scalar but its first has these two bits.
    if bytes.count < utf8.count { bytes = bytes.drop { $0 & 0xc0 == 0x80 } }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// As much of the text as a message quotes of it: what somebody knows it again by.
  public var excerpt: String { utf8.count > 80 ? beginning(atMost: 80) + "..." : self }

  /// The beginning of the text in a number of bytes, likewise.
  public func beginning(atMost limit: Int) -> String {
    guard utf8.count > limit else { return String(self) }
    var end = utf8.index(utf8.startIndex, offsetBy: limit)
    while end > utf8.startIndex, utf8[end] & 0xc0 == 0x80 { utf8.formIndex(before: &end) }
    return String(decoding: utf8[..<end], as: UTF8.self)
  }

  /// The text's lines, empty ones included, without the LF or CR LF at their ends.
  public var linesOfText: [Substring] {
    utf8.split(separator: 0x0a, omittingEmptySubsequences: false).map { line in
      Substring(line.last == 0x0d ? line.dropLast() : line)
    }
  }
}

extension Substring {
  /// Without blanks at both ends (Unicode's White_Space).
  public var trimmed: Substring {
    let start = unicodeScalars.drop { $0.properties.isWhitespace }
    guard let last = start.lastIndex(where: { !$0.properties.isWhitespace }) else { return Substring() }
    return Substring(start[...last])
  }
}
