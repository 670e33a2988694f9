import Support

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

extension RegressionReport {
  /// The changes for a person: regressions, then what is otherwise different, then a line of totals.
  public func text(_ style: Style = Style()) -> String { lines(style).text }

  func lines(_ style: Style) -> [TextLine] {
    var lines: [TextLine] = [style.bold("from \(name(of: 0)) to \(name(of: 1))")]
    lines += notes.map { "  \(style.yellow("note")): \($0)" }
    lines += part("regressions", changes.filter(\.isRegression), style)
    lines += part("other changes", changes.filter { !$0.isRegression }, style)
    if !newFailures.isEmpty {
      lines.append("  fails and was not there before: \(newFailures.lines.joined(separator: ", "))")
    }
    if !unpaired.isEmpty { lines.append("  only in one of the two: \(unpaired.lines.joined(separator: ", "))") }
    let regressions = changes.count(where: \.isRegression)
    let count: TextLine =
      regressions > 0 ? style.red("\(Units.count(regressions, "regression"))") : style.green("no regression")
    lines.append(
      "  \(count), \(Units.count(changes.count - regressions, "other change")) in \(Units.count(compared, "case")) compared"
    )
    return lines
  }

  private func name(of side: Int) -> TextLine {
    let side = sides[side]
    return "\(side.name) (Linux \(side.host.kernel), \(side.host.backEnd ?? "back end unknown"))"
  }

  private func part(_ title: TextLine, _ changes: [CaseChange], _ style: Style) -> [TextLine] {
    guard !changes.isEmpty else { return [] }
    var table = LeftTable()
    for change in changes where change.kind != .skipped { table.add(change.row(style)) }
    return ["  \(style.bold(title))"] + table.lines(indent: 4) + skips(changes, style)
  }

  /// Cases that are skipped now, by reason: a host that lost a capability skips many for one.
  private func skips(_ changes: [CaseChange], _ style: Style) -> [TextLine] {
    SuiteReport.Skip.grouped(changes.filter { $0.kind == .skipped }.map { ($0.id, $0.reason) }).map { skip in
      "    \(style.yellow("skipped now")) \(skip.named): \(skip.reason)"
    }
  }
}

extension CaseChange {
  fileprivate func row(_ style: Style) -> [TextLine] {
    let label: TextLine =
      switch kind {
      case .fails: style.red("FAILS NOW")
      case .softwarePath, .hardwarePath, .otherPath: "path"
      case .skipped: style.yellow("skipped now")
      case .moreExits, .fewerExits: "exits"
      case .moreInjections, .fewerInjections: "injections"
      case .runs: "runs now"
      case .passes: style.green("passes now")
      }
    return [label, "\(id)", what]
  }

  private var what: TextLine {
    if let counts {
      return
        "\(Self.number(counts.before)) before, \(Self.number(counts.now)) now (p \(Self.short(counts.adjustedPValue)))"
    }
    if let reason { return "\(reason)" }
    return "\((before ?? []).lines.joined(separator: ", ")) before, \((now ?? []).lines.joined(separator: ", ")) now"
  }

  private static func number(_ value: Double) -> String {
    value == value.rounded() && value < 1e15 ? "\(Int64(value))" : "\(value)"
  }

  private static func short(_ pValue: Double) -> String {
    pValue < 0.0001 ? "< 0.0001" : "\((pValue * 10_000).rounded() / 10_000)"
  }
}
