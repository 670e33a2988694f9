/// A line of a test's about one thing that it looked at: `PASS: it works`.
public struct UnitTestCheck: Hashable, Sendable {
  /// What it came to.
  public enum Verdict: String, Hashable, Sendable {
    /// `PASS`, and `XFAIL`: it failed as it is known to.
    case passed
    /// `FAIL`, and `XPASS`: it passed although it is known to fail.
    case failed
    /// `SKIP`.
    case skipped
  }

  /// What it came to.
  public let verdict: Verdict
  /// What was looked at.
  public let text: String

  /// The checks among the lines that a test printed.
  public static func all(in output: String) -> [UnitTestCheck] {
    output.split(whereSeparator: \.isNewline).compactMap { UnitTestCheck(line: $0) }
  }

  /// The check of a line; nil where it is about none.
  public init?(line: Substring) {
    guard let colon = line.firstIndex(of: ":"), let verdict = Self.verdicts[line[..<colon]] else { return nil }
    self.verdict = verdict
    text = String(line[line.index(after: colon)...].trimmed)
  }

  private static let verdicts: [Substring: Verdict] = [
    "PASS": .passed, "XFAIL": .passed, "FAIL": .failed, "XPASS": .failed, "SKIP": .skipped,
  ]
}
