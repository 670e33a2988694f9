import Support

/// The same cases on two sides, such as with APICv and without: what their interrupts cost on each. The value behind the
/// text for a person and the JSON document `lapwing.comparison/1`.
///
/// docs/test-report.md describes the document's keys.
public struct ComparisonReport: Codable, Sendable {
  /// The document's type and version.
  public static let schema = "lapwing.comparison/1"

  /// `lapwing.comparison/1`.
  public var schema = ComparisonReport.schema
  /// Whether nothing failed on either side and all was run.
  public var success: Bool
  /// The sides, the first one first.
  public var sides: [Side]
  /// The cases that are on both sides, in the first one's order.
  public var cases: [ComparedCase]
  /// The ids of those that are on one side alone.
  public var unpaired: [String]

  /// One of the sides.
  public struct Side: Codable, Hashable, Sendable {
    /// What sets it apart, such as `APICv on`.
    public var name: String
    /// Where it ran.
    public var host: SuiteReport.Host
    /// What its cases came to.
    public var totals: SuiteReport.Totals
  }

  /// A case on all sides.
  public struct ComparedCase: Codable, Hashable, Sendable {
    /// Its id.
    public var id: String
    /// What it came to on each side, in their order.
    public var sides: [CaseSide]
  }

  /// What a case came to on a side. Figures are medians of its runs.
  public struct CaseSide: Codable, Hashable, Sendable {
    /// What it came to.
    public var verdict: CaseReport.Verdict
    /// Why it failed or was skipped; absent where it passed.
    public var reason: String?
    /// How its interrupts got to the guest, each way once.
    public var paths: [String]
    /// How many runs have figures.
    public var runs: Int
    /// What its interrupts cost; absent where no run has figures.
    public var cost: CaseReport.Cost?
  }

  /// The comparison of reports of the suite.
  ///
  /// - Parameters:
  ///   - first: the first side and its name.
  ///   - second: the second side and its name.
  public init(_ first: (name: String, report: SuiteReport), _ second: (name: String, report: SuiteReport)) {
    let others = Dictionary(second.report.cases.map { ($0.id, $0) }) { first, _ in first }
    let ids = Set(first.report.cases.map(\.id))
    success = first.report.success && second.report.success
    sides = [first, second].map { Side(name: $0.name, host: $0.report.host, totals: $0.report.totals) }
    cases = first.report.cases.compactMap { item in
      others[item.id].map { ComparedCase(id: item.id, sides: [CaseSide(item), CaseSide($0)]) }
    }
    unpaired =
      first.report.cases.map(\.id).filter { others[$0] == nil }
      + second.report.cases.map(\.id).filter { !ids.contains($0) }
  }
}

extension ComparisonReport.CaseSide {
  init(_ item: CaseReport) {
    verdict = item.verdict
    reason = item.reason
    paths = item.paths
    runs = item.costs.count
    cost = item.costs.isEmpty ? nil : CaseReport.Cost(medianOf: item.costs)
  }
}

extension CaseReport.Cost {
  /// The median of each figure; one that a run lacks is left out.
  fileprivate init(medianOf costs: [CaseReport.Cost]) {
    func median<Value: Comparable>(_ figures: [Value]) -> Value? {
      figures.isEmpty ? nil : figures.sorted()[(figures.count - 1) / 2]
    }
    self.init(
      interrupts: median(costs.map(\.interrupts)) ?? 0, exits: median(costs.compactMap(\.exits)),
      injections: median(costs.compactMap(\.injections)), windowExits: median(costs.compactMap(\.windowExits)),
      latency: median(costs.compactMap(\.latency)))
  }
}

extension ComparisonReport {
  private static let figures: [(name: String, value: any Sendable & KeyPath<CaseReport.Cost, UInt64?>)] = [
    ("exits", \.exits), ("injected", \.injections), ("windows", \.windowExits), ("latency", \.latency),
  ]

  /// The comparison for a person: a row a case, each figure on all sides; then what has no figures, and why.
  public func text(_ style: Style = Style()) -> String {
    var lines: [TextLine] = []
    let shown = cases.filter { item in item.sides.allSatisfy { $0.cost != nil } }
    if !shown.isEmpty {
      var table = Table()
      table.add([""] + Self.figures.flatMap { figure in sides.indices.map { $0 == 0 ? TextLine(figure.name) : "" } })
      table.add(["case"] + Self.figures.flatMap { _ in sides.map(\.name).lines })
      for item in shown { table.add(["\(item.id)"] + cells(item)) }
      lines +=
        table.lines(indent: 0) + [
          "",
          "exits, injections and interrupt-window exits of all vCPUs from the stimulus on; latency from the stimulus to",
          "the first interrupt, in cycles of the guest's TSC; medians of the runs; - where nothing was counted", "",
        ]
    }
    lines += failures(style) + absences
    lines += sides.map { summary($0, style) }
    return lines.text
  }

  private func cells(_ item: ComparedCase) -> [TextLine] {
    Self.figures.flatMap { figure in
      item.sides.map { side in side.cost?[keyPath: figure.value].map { "\($0)" } ?? "-" }
    }
  }

  private func failures(_ style: Style) -> [TextLine] {
    let lines = cases.flatMap { item in
      zip(sides, item.sides).compactMap { side, result -> TextLine? in
        result.verdict == .failed ? "\(style.red("FAILED")) \(item.id), \(side.name): \(result.reason ?? "")" : nil
      }
    }
    return lines.isEmpty ? [] : lines + [""]
  }

  /// The cases without figures on a side, by reason.
  private var absences: [TextLine] {
    var lines: [TextLine] = []
    for (place, side) in sides.enumerated() {
      let skipped = cases.filter { $0.sides[place].verdict == .skipped }
      let reasons = Dictionary(grouping: skipped) { $0.sides[place].reason ?? "" }
      for (reason, items) in reasons.sorted(by: { ($0.value.count, $1.key) > ($1.value.count, $0.key) }) {
        lines.append("skipped, \(side.name): \(Units.count(items.count, "case")): \(reason)")
      }
    }
    if !unpaired.isEmpty { lines.append("on one side alone: " + unpaired.lines.joined(separator: ", ")) }
    return lines.isEmpty ? [] : lines + [""]
  }

  private func summary(_ side: Side, _ style: Style) -> TextLine {
    let failed: TextLine = side.totals.failed > 0 ? style.red("\(side.totals.failed) FAILED") : "0 failed"
    let notRun: TextLine = side.totals.notRun > 0 ? ", \(style.yellow("\(side.totals.notRun) not run"))" : ""
    return "\(side.name): \(side.totals.passed) passed, \(failed), \(side.totals.skipped) skipped\(notRun)"
  }
}
