public import ForeignStates
public import Rules
import Support

/// What is wrong with a state: the value behind the text for a person and the JSON document `lapwing.findings/1`.
public struct FindingsReport: Codable, Hashable, Sendable {
  /// The document's type and version.
  public static let schema = "lapwing.findings/1"

  /// `lapwing.findings/1`.
  public var schema = FindingsReport.schema
  /// The format that the state was read from.
  public var format: StateFormat
  /// What was found, what is surest first.
  public var findings: [Finding]

  /// Looks at a state.
  public init(_ state: InspectableState) {
    format = state.format
    findings = state.findings()
  }

  /// Whether a contradiction is among them.
  public var hasContradiction: Bool { findings.contains { $0.certainty == .contradiction } }

  /// The findings in full for a person.
  public func text(_ style: Style = Style()) -> String {
    guard !findings.isEmpty else { return "nothing was found" }
    let lines = findings.indices.flatMap { index -> [TextLine] in
      let (finding, next) = (findings[index], index + 1)
      // What a rule says is said once, after all that it found.
      let isLast = next == findings.count || findings[next].rule != finding.rule
      let explanation: [TextLine] = [
        "  why: \(finding.why)", "  see: \(finding.reference)", "  cause: \(finding.cause)",
      ]
      return [Self.line(finding, style)] + (isLast ? explanation : [])
    }
    let counts = RuleCertainty.allCases.compactMap { certainty -> String? in
      let count = findings.count { $0.certainty == certainty }
      return count == 0 ? nil : Units.count(count, certainty.rawValue)
    }
    return (lines + ["\(counts.joined(separator: ", "))"]).text
  }

  /// The findings for a person, a line each; none where there are none.
  static func lines(_ findings: [Finding], _ style: Style) -> [TextLine] {
    findings.isEmpty ? [] : [style.bold("findings")] + findings.map { "  \(line($0, style))" } + [""]
  }

  private static func line(_ finding: Finding, _ style: Style) -> TextLine {
    let word: TextLine = "\(finding.certainty.rawValue)"
    let shown = finding.certainty == .hint ? word : style.yellow(word)
    return "\(shown) \(finding.rule), \(finding.owner): \(finding.seen)"
  }
}
