import Support

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
