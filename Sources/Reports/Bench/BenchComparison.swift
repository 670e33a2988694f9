public import Measurements
import Support

/// How a run differs from an earlier one, with a test whether that may be chance.
///
/// The rounds are what is compared, one number a round, by the Mann-Whitney U test; docs/bench-report.md has the method.
public struct BenchComparison: Codable, Sendable {
  /// The probability with which any difference at all is found between runs that do not differ.
  public static let level = 0.05

  /// Where the earlier run was made.
  public var earlierHost: BenchReport.Host
  /// How it was made.
  public var earlierOptions: BenchReport.Options
  /// The probability with which any difference at all is found between runs that do not differ.
  public var level = BenchComparison.level
  /// What a reader should know before believing any of it.
  public var notes: [String]
  /// Each measurement that both runs have, by its typical and by its slow samples.
  public var differences: [Difference]
  /// The ids of measurements that only one of the runs has.
  public var notCompared: [String]

  /// One figure of one measurement, before and after.
  public struct Difference: Codable, Sendable {
    /// What a test made of it.
    public enum Verdict: String, Codable, Sendable {
      /// It takes longer now.
      case slower
      /// It takes less time now.
      case faster
      /// No difference was shown, which does not show that there is none.
      case notShown
    }

    /// The measurement's id.
    public var id: String
    /// Which figure of each round is compared: `p50` or `p90`.
    public var figure: String
    /// The median of the earlier rounds, in nanoseconds.
    public var earlier: Double
    /// The median of these.
    public var now: Double
    /// How many times as long it takes now, and between what that lies with 95 % confidence; absent where a figure is 0.
    public var shift: Shift?
    /// The probability of such a difference between runs that do not differ.
    public var pValue: Double
    /// The same, corrected for the number of tests (Holm).
    public var adjustedPValue: Double
    /// What that says.
    public var verdict: Verdict
  }

  /// Compares a run with an earlier one.
  public init(of report: BenchReport, with earlier: BenchReport) {
    earlierHost = earlier.host
    earlierOptions = earlier.options
    let before = Dictionary(earlier.measurements.map { ($0.id, $0) }) { first, _ in first }
    let after = Dictionary(report.measurements.map { ($0.id, $0) }) { first, _ in first }
    var pairs: [(old: MeasurementReport, new: MeasurementReport)] = []
    for new in report.measurements where new.rounds?.isEmpty == false {
      if let old = before[new.id], old.rounds?.isEmpty == false { pairs.append((old, new)) }
    }
    differences = pairs.flatMap { old, new in
      [Difference("p50", \.p50, from: old, to: new), Difference("p90", \.p90, from: old, to: new)]
    }
    let compared = Set(pairs.map(\.new.id))
    notCompared = (report.measurements + earlier.measurements.filter { after[$0.id] == nil })
      .filter { ($0.rounds ?? before[$0.id]?.rounds) != nil && !compared.contains($0.id) }.map(\.id)
    let adjusted = Holm.adjusted(differences.map(\.pValue))
    for index in differences.indices { differences[index].judge(adjusted[index], level: level) }
    notes = []
    notes = findNotes(report, earlier, rounds: pairs.map { ($0.old.rounds?.count ?? 0, $0.new.rounds?.count ?? 0) })
  }

  /// Whether a measurement takes longer, beyond doubt, by more than so many percent.
  public func isSlower(byPercent percent: Double) -> Bool {
    differences.contains { $0.verdict == .slower && ($0.shift?.low ?? 1) > 1 + percent / 100 }
  }

  private func findNotes(_ report: BenchReport, _ earlier: BenchReport, rounds: [(Int, Int)]) -> [String] {
    var notes: [String] = []
    if report.host != earlier.host { notes.append("the runs were made on different hosts or kernels") }
    if report.options.samples != earlier.options.samples {
      notes.append("the rounds of the runs have different numbers of samples: p90 is not quite the same figure in both")
    }
    let tests = Double(differences.count)
    if let (old, new) = rounds.min(by: { $0.0 + $0.1 < $1.0 + $1.1 }),
      RankTest.smallestPValue(old, new) * tests >= level
    {
      notes.append("\(old) and \(new) rounds are too few to show any difference: take more, with --rounds")
    }
    return notes
  }
}

extension BenchComparison.Difference {
  fileprivate init(
    _ figure: String, _ path: KeyPath<Summary, UInt64>, from old: MeasurementReport, to new: MeasurementReport
  ) {
    func times(_ report: MeasurementReport) -> [Double] {
      (report.rounds ?? []).map {
        MeasurementReport.nanoseconds(Double($0[keyPath: path]), kHz: report.tscKHz ?? 0)
      }
    }
    let (before, after) = (times(old), times(new))
    id = new.id
    self.figure = figure
    earlier = before.median
    now = after.median
    shift = Shift(from: before, to: after)
    pValue = RankTest.pValue(before, after)
    adjustedPValue = 1
    verdict = .notShown
  }

  fileprivate mutating func judge(_ adjusted: Double, level: Double) {
    adjustedPValue = adjusted
    guard adjusted < level else { return }
    verdict = now > earlier ? .slower : now < earlier ? .faster : .notShown
  }
}

extension [Double] {
  /// The middle value, or the mean of the two in the middle; 0 of none.
  var median: Double {
    guard !isEmpty else { return 0 }
    let sorted = sorted()
    let middle = count / 2
    return count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
  }
}

extension BenchComparison {
  /// The comparison for a person.
  func lines(_ style: Style) -> [TextLine] {
    var lines: [TextLine] = [style.bold("against the earlier run, Linux \(earlierHost.kernel)")]
    lines += notes.map { "  \(style.yellow("note")): \($0)" }
    var table = Table()
    table.add(["", "", "earlier", "now", "change", "95 % confidence", "p", ""])
    for difference in differences { table.add(difference.row(style)) }
    lines += table.lines()
    if !notCompared.isEmpty { lines.append("  only in one of the runs: \(notCompared.lines.joined(separator: ", "))") }
    let shown = differences.count { $0.verdict != .notShown }
    lines.append("  \(shown) of \(Units.count(differences.count, "figure")) shown to differ")
    return lines
  }
}

extension BenchComparison.Difference {
  fileprivate func row(_ style: Style) -> [TextLine] {
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
    ].lines
  }
}
