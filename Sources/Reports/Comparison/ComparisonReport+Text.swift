extension ComparisonReport {
  private static let figures: [(name: String, value: any Sendable & KeyPath<CaseReport.Cost, UInt64?>)] = [
    ("exits", \.exits), ("injected", \.injections), ("windows", \.windowExits), ("latency", \.latency),
  ]

  /// The comparison for a person: a row a case, each figure on all sides; then what has no figures, and why.
  public func text(_ style: Style = Style()) -> String {
    var lines: [String] = []
    let shown = cases.filter { item in item.sides.allSatisfy { $0.cost != nil } }
    if !shown.isEmpty {
      var table = Table()
      table.add([""] + Self.figures.flatMap { figure in sides.indices.map { $0 == 0 ? figure.name : "" } })
      table.add(["case"] + Self.figures.flatMap { _ in sides.map(\.name) })
      for item in shown { table.add([item.id] + cells(item)) }
      lines +=
        table.lines(indent: 0) + [
          "",
          "exits, injections and interrupt-window exits of all vCPUs from the stimulus on; latency from the stimulus to",
          "the first interrupt, in cycles of the guest's TSC; medians of the runs; - where nothing was counted", "",
        ]
    }
    lines += failures(style) + absences
    lines.append(sides.map { summary($0, style) }.joined(separator: "\n"))
    return lines.joined(separator: "\n")
  }

  private func cells(_ item: ComparedCase) -> [String] {
    Self.figures.flatMap { figure in
      item.sides.map { side in side.cost?[keyPath: figure.value].map(String.init) ?? "-" }
    }
  }

  private func failures(_ style: Style) -> [String] {
    let lines = cases.flatMap { item in
      zip(sides, item.sides).compactMap { side, result in
        result.verdict == .failed ? "\(style.red("FAILED")) \(item.id), \(side.name): \(result.reason ?? "")" : nil
      }
    }
    return lines.isEmpty ? [] : lines + [""]
  }

  /// The cases without figures on a side, by reason.
  private var absences: [String] {
    var lines: [String] = []
    for (place, side) in sides.enumerated() {
      let skipped = cases.filter { $0.sides[place].verdict == .skipped }
      let reasons = Dictionary(grouping: skipped) { $0.sides[place].reason ?? "" }
      for (reason, items) in reasons.sorted(by: { ($0.value.count, $1.key) > ($1.value.count, $0.key) }) {
        lines.append("skipped, \(side.name): \(Units.count(items.count, "case")): \(reason)")
      }
    }
    if !unpaired.isEmpty { lines.append("on one side alone: \(unpaired.joined(separator: ", "))") }
    return lines.isEmpty ? [] : lines + [""]
  }

  private func summary(_ side: Side, _ style: Style) -> String {
    let failed = side.totals.failed > 0 ? style.red("\(side.totals.failed) FAILED") : "0 failed"
    let notRun = side.totals.notRun > 0 ? ", \(style.yellow("\(side.totals.notRun) not run"))" : ""
    return "\(side.name): \(side.totals.passed) passed, \(failed), \(side.totals.skipped) skipped\(notRun)"
  }
}
