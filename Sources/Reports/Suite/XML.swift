/// Text in XML 1.0.
enum XML {
  /// Text between tags. Characters that no XML document may have become the replacement character.
  static func text(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      // Section 2.2 of XML 1.0.
      case "\t", "\n", "\u{20}"..."\u{d7ff}", "\u{e000}"..."\u{fffd}", "\u{10000}"..."\u{10ffff}":
        result.unicodeScalars.append(scalar)
      default: result += "\u{fffd}"
      }
    }
    return result
  }

  /// ` name="value"`, with line breaks kept, which a parser would else turn into blanks (section 3.3.3).
  static func attribute(_ name: String, _ value: String) -> String {
    let escaped = text(value).split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "&#10;")
    return " \(name)=\"\(escaped)\""
  }

  /// Nanoseconds as seconds with three digits.
  static func seconds(_ nanoseconds: Int64) -> String {
    let milliseconds = (max(nanoseconds, 0) + 500_000) / 1_000_000
    let rest = String(milliseconds % 1000)
    return "\(milliseconds / 1000)." + String(repeating: "0", count: 3 - rest.count) + rest
  }
}
