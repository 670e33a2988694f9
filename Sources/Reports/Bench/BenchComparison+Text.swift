import Measurements

extension BenchComparison {
  /// The comparison for a person.
  func lines(_ style: Style) -> [String] {
    var lines = [style.bold("against the earlier run, Linux \(earlierHost.kernel)")]
    lines += notes.map { "  \(style.yellow("note")): \($0)" }
    var table = Table()
    table.add(["", "", "earlier", "now", "change", "95 % confidence", "p", ""])
    for difference in differences { table.add(difference.row(style)) }
    lines += table.lines()
    if !notCompared.isEmpty { lines.append("  only in one of the runs: \(notCompared.joined(separator: ", "))") }
    let shown = differences.count { $0.verdict != .notShown }
    lines.append("  \(shown) of \(Units.count(differences.count, "figure")) shown to differ")
    return lines
  }
}

extension BenchComparison.Difference {
  fileprivate func row(_ style: Style) -> [String] {
    func percent(_ ratio: Double) -> String {
      let change = min((ratio - 1) * 100, 1e9)
      return "\(change >= 0 ? "+" : "")\(Units.fixed(change, digits: 1)) %"
    }
    let word =
      switch verdict {
      case .slower: "slower"
      case .faster: "faster"
      case .notShown: ""
      }
    return [
      id, figure, Units.shortTime(earlier), Units.shortTime(now), shift.map { percent($0.ratio) } ?? "",
      shift.map { "\(percent($0.low)) to \(percent($0.high))" } ?? "",
      adjustedPValue < 0.001 ? "< 0.001" : Units.fixed(adjustedPValue, digits: 3), word,
    ]
  }
}
