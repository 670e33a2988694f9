import Support

extension SuiteReport {
  /// The report as JUnit XML, as CI servers show it: a test suite a family.
  public var junit: String {
    var lines = [#"<?xml version="1.0" encoding="UTF-8"?>"#]
    lines.append("<testsuites\(XML.attribute("name", program))\(attributes(cases, time: duration))>")
    var families: [String] = []
    for item in cases where !families.contains(item.family) { families.append(item.family) }
    for family in families {
      let members = cases.filter { $0.family == family }
      lines.append("  <testsuite\(XML.attribute("name", family))\(attributes(members, time: nil))>")
      lines += ["    <properties>"] + properties.map { "      " + $0 } + ["    </properties>"]
      for item in members { lines += item.junit.map { "    " + $0 } }
      lines.append("  </testsuite>")
    }
    return (lines + ["</testsuites>"]).joined(separator: "\n")
  }

  private var properties: [String] {
    var properties = [("kernel", host.kernel), ("back-end", host.backEnd ?? "unknown"), ("sabotage", "\(isSabotage)")]
    if let origin { properties.append(("origin", origin.line.text)) }
    return properties.map {
      "<property\(XML.attribute("name", $0))\(XML.attribute("value", $1))/>"
    }
  }

  private func attributes(_ cases: [CaseReport], time: Int64?) -> String {
    let failed = cases.count { $0.verdict == .failed }
    let skipped = cases.count { $0.verdict == .skipped || $0.verdict == .expectedFailure }
    let time = XML.seconds(time ?? cases.map(\.duration).reduce(0, +))
    return " tests=\"\(cases.count)\" failures=\"\(failed)\" errors=\"0\" skipped=\"\(skipped)\" time=\"\(time)\""
  }
}

extension CaseReport {
  fileprivate var junit: [String] {
    let open =
      "<testcase\(XML.attribute("classname", family))\(XML.attribute("name", id)) time=\"\(XML.seconds(duration))\""
    var inside: [String] = []
    switch verdict {
    case .passed: break
    case .failed:
      let text = XML.text(failureLines(Style()).text)
      inside.append("  <failure\(XML.attribute("message", reason ?? ""))>\(text)</failure>")
    case .skipped: inside.append("  <skipped\(XML.attribute("message", reason ?? ""))/>")
    case .expectedFailure: inside.append("  <skipped type=\"xfail\"\(XML.attribute("message", reason ?? ""))/>")
    }
    let output: [TextLine] =
      figures.map { "\($0.name): \($0.value)" } + evidence.lines + (checks ?? []).map(\.line)
    if !output.isEmpty {
      inside.append("  <system-out>\(XML.text(output.text))</system-out>")
    }
    return inside.isEmpty ? [open + "/>"] : [open + ">"] + inside + ["</testcase>"]
  }
}

/// Text in XML 1.0.
enum XML {
  /// Text between tags. Characters that no XML document may have become the replacement character; others that a terminal
  /// would obey are written by their numbers.
  static func text(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "\r": result += "&#xd;"
      case let scalar where scalar.value >= 0x7f && Escape.isNeeded(for: scalar):
        result += "&#x\(String(scalar.value, radix: 16));"
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
