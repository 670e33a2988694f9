/// What has changed from one report of the suite to another, the worst first: the value behind the text for a person and
/// the JSON document `lapwing.regressions/1`.
///
/// docs/test-report.md describes the document's keys.
public struct RegressionReport: Codable, Sendable {
  /// The document's type and version.
  public static let schema = "lapwing.regressions/1"
  /// The probability with which any difference of counts is found between runs that do not differ.
  public static let level = 0.05

  /// `lapwing.regressions/1`.
  public var schema = RegressionReport.schema
  /// Whether there is no regression.
  public var success: Bool
  /// The earlier suite and the one of now.
  public var sides: [ComparisonReport.Side]
  /// How many cases are in both.
  public var compared: Int
  /// What has changed, the worst first.
  public var changes: [CaseChange]
  /// The ids of cases that only one of the two has.
  public var unpaired: [String]
  /// The ids of those among them that fail now.
  public var newFailures: [String]
  /// What a reader should know before believing any of it.
  public var notes: [String]

  /// The changes from an earlier report to another.
  ///
  /// A case that was skipped is not missed where it is skipped again for another reason, and one that failed may fail in
  /// another way. Exits and injections are compared run by run by the Mann-Whitney U test, two-sided, at a level of 5 %
  /// for all of them together (Holm); the other figures of a case move with the host's load.
  ///
  /// - Parameters:
  ///   - earlier: the earlier report and its name.
  ///   - now: the other one and its name.
  public init(from earlier: (name: String, report: SuiteReport), to now: (name: String, report: SuiteReport)) {
    let before = Dictionary(earlier.report.cases.map { ($0.id, $0) }) { first, _ in first }
    let pairs = now.report.cases.compactMap { item in before[item.id].map { (old: $0, new: item) } }
    let tests = pairs.flatMap { CostTest.all(of: $0.new, from: $0.old) }
    let changes =
      pairs.compactMap { CaseChange(verdictOf: $0.new, from: $0.old) }
      + pairs.compactMap { CaseChange(pathsOf: $0.new, from: $0.old) } + CostTest.changes(tests, level: Self.level)
    sides = [earlier, now].map { ComparisonReport.Side(name: $0.name, host: $0.report.host, totals: $0.report.totals) }
    compared = pairs.count
    self.changes = changes.enumerated().sorted { Self.isWorse($0, $1) }.map(\.element)
    success = !changes.contains(where: \.isRegression)
    let paired = Set(pairs.map(\.new.id))
    unpaired = (now.report.cases + earlier.report.cases).map(\.id).filter { !paired.contains($0) }
    newFailures = now.report.cases.filter { before[$0.id] == nil && $0.verdict == .failed }.map(\.id)
    notes = Self.notes(earlier.report, now.report, tests: tests)
  }

  private static func isWorse(_ one: (Int, CaseChange), _ other: (Int, CaseChange)) -> Bool {
    func rank(_ change: CaseChange) -> Int { CaseChange.Kind.allCases.firstIndex(of: change.kind) ?? 0 }
    func growth(_ change: CaseChange) -> Double { change.counts.map { ($0.now + 1) / ($0.before + 1) } ?? 1 }
    return (rank(one.1), -growth(one.1), one.0) < (rank(other.1), -growth(other.1), other.0)
  }

  private static func notes(_ earlier: SuiteReport, _ now: SuiteReport, tests: [CostTest]) -> [String] {
    var notes: [String] = []
    if earlier.host.backEnd != now.host.backEnd {
      notes.append("the two ran on different back ends, whose ways and counts differ without a regression")
    }
    if earlier.sabotage != now.sabotage { notes.append("one of the two was sabotaged, and the other not or otherwise") }
    if !now.notRun.isEmpty { notes.append("not run now, though selected: \(Units.count(now.notRun.count, "case"))") }
    if let (old, new) = tests.map({ ($0.before.count, $0.now.count) }).min(by: { $0.0 + $0.1 < $1.0 + $1.1 }),
      !CostTest.canShow(tests, level: level)
    {
      notes.append(
        "\(old) and \(new) runs of a case are too few to show that exits or injections grew: take more, with --repeat")
    }
    return notes
  }
}
