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

/// The rules that there are: the value behind `lapwing inspect --rules`, the JSON document `lapwing.rules/1`, and
/// docs/rules.md.
public struct RulesReport: Codable, Hashable, Sendable {
  /// The document's type and version.
  public static let schema = "lapwing.rules/1"

  /// `lapwing.rules/1`.
  public var schema = RulesReport.schema
  /// The rules, by what they are about.
  public var rules: [Entry]

  /// A rule.
  public struct Entry: Codable, Hashable, Sendable {
    /// Its name.
    public var name: String
    /// What is wrong.
    public var title: String
    /// How sure it is.
    public var certainty: RuleCertainty
    /// Why it matters.
    public var why: String
    /// The section that says so.
    public var reference: String
    /// What usually causes it.
    public var cause: String
    /// Where it says nothing though its title might fit; absent where there is nothing of the kind.
    public var silence: String?
  }

  /// A catalogue of rules.
  public init(_ rules: [Rule] = Rule.all) {
    self.rules = rules.map { rule in
      Entry(
        name: rule.name, title: rule.title, certainty: rule.certainty, why: rule.why, reference: rule.reference,
        cause: rule.cause, silence: rule.silence)
    }
  }

  /// The rules for a person.
  public func text(_ style: Style = Style()) -> String {
    rules.flatMap { rule -> [TextLine] in
      let silence: [TextLine] = rule.silence.map { ["  silent: \($0)"] } ?? []
      return [
        style.bold("\(rule.name)") + ": \(rule.title), \(article(rule.certainty))", "  why: \(rule.why)",
        "  see: \(rule.reference)", "  cause: \(rule.cause)",
      ] + silence
    }.text
  }

  /// The rules as a page of documentation.
  public var markdown: String {
    var lines = [
      "# The rules", "",
      "Written by `lapwing inspect --rules --format markdown`; a test checks that this page is what that command prints.",
      "`lapwing inspect --check FILE` says which of them a state breaks; [inspect.md](inspect.md) has more.", "",
      "- contradiction: no processor, chip or kernel can be in such a state, or the interrupt is lost for certain.",
      "- suspicion: a healthy guest can be there for a moment; one that hangs is often found there.",
      "- hint: worth knowing; by itself no sign of a fault.", "",
      "A rule says nothing where a part of the state that it needs is not known, and where it is said to be silent.",
    ]
    for rule in rules {
      lines += [
        "", "## \(rule.name)", "", "\(rule.title): \(article(rule.certainty)). \(rule.why)", "",
        "Usually: \(rule.cause)", "",
      ]
      if let silence = rule.silence { lines += ["Silent: \(silence)", ""] }
      lines.append("See \(rule.reference).")
    }
    return lines.joined(separator: "\n")
  }

  private func article(_ certainty: RuleCertainty) -> String { "a \(certainty.rawValue)" }
}
