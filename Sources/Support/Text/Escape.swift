/// Makes text harmless that others wrote.
///
/// A terminal obeys control characters (ECMA-48), C1's in UTF-8 included; a line break ends a line, and what follows looks
/// as if the program had said it; characters of direction show a line in another order than it has (Unicode, UAX #9). All
/// of these are shown by their numbers instead.
public enum Escape {
  /// A foreign text as a person may see it.
  ///
  /// - Parameters:
  ///   - text: anything.
  ///   - limit: how many bytes of it are shown; what follows is only counted.
  /// - Returns: the text without control characters, line breaks and characters of format, each as `\n` or `\x1b` or
  ///   `\u{202e}`.
  public static func shown(_ text: some StringProtocol, atMost limit: Int = .max) -> String {
    let length = text.utf8.count
    let kept = length > limit ? String(text).beginning(atMost: limit) : String(text)
    var result = kept.utf8.allSatisfy { (0x20...0x7e).contains($0) } ? kept : escaped(kept)
    if kept.utf8.count < length { result += "... (\(length - kept.utf8.count) more bytes)" }
    return result
  }

  /// Whether a scalar does something other than to be seen.
  public static func isNeeded(for scalar: Unicode.Scalar) -> Bool {
    if (0x20...0x7e).contains(scalar.value) { return false }
    return switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator: true
    default: false
    }
  }

  /// A text of many lines in which nothing is left that a terminal obeys but newlines and colours (SGR).
  ///
  /// The last line of defence, for what was not made of `TextLine`s: a forged newline or colour passes it.
  public static func inLines(_ text: String) -> String {
    guard text.utf8.contains(where: { !(0x20...0x7e).contains($0) && $0 != 0x0a }) else { return text }
    var result = String.UnicodeScalarView()
    var rest = text.unicodeScalars[...]
    while let scalar = rest.popFirst() {
      if scalar == "\u{1b}", let end = rendition(at: rest) {
        result.append(scalar)
        result += rest[..<end]
        rest = rest[end...]
      } else if isNeeded(for: scalar), scalar != "\n" {
        result += number(of: scalar).unicodeScalars
      } else {
        result.append(scalar)
      }
    }
    return String(result)
  }

  /// Where a colour ends that an ESC begins: `[`, digits, `m`.
  private static func rendition(at rest: Substring.UnicodeScalarView) -> String.Index? {
    guard rest.first == "[" else { return nil }
    let after = rest.dropFirst().drop { ("0"..."9").contains($0) }
    guard after.first == "m" else { return nil }
    return after.index(after: after.startIndex)
  }

  private static func escaped(_ text: String) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      if isNeeded(for: scalar) { result += number(of: scalar).unicodeScalars } else { result.append(scalar) }
    }
    return String(result)
  }

  private static func number(of scalar: Unicode.Scalar) -> String {
    switch scalar {
    case "\n": return "\\n"
    case "\r": return "\\r"
    case "\t": return "\\t"
    default:
      let digits = String(scalar.value, radix: 16)
      return scalar.value < 0x100 ? "\\x" + (digits.count < 2 ? "0" : "") + digits : "\\u{\(digits)}"
    }
  }
}

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
