import Figures
import Foundation

extension Comparison {
  /// For a person.
  func table() -> String {
    var lines = [
      "\(rounds) rounds on \(host.processors) processors (\(host.processor)), Linux \(host.kernel)",
      "",
      Self.row(["", "median", "quartiles", "x \(base)", "peak RSS"]),
    ]
    for contest in contests { lines += contest.contenders.map(Self.row) + [""] }
    if let total { lines += [total, ""] }
    lines.append("Wall time from spawn to exit. 'x \(base)' is the median of the ratios round by round.")
    lines += skipped.map { "Not compared with \($0)." }
    return lines.joined(separator: "\n")
  }

  /// What is compared with, in a word: the first program of each contest.
  private var base: String {
    String(contests.first?.contenders.first?.name.prefix { $0.isLetter } ?? "floor")
  }

  /// All contests of two programs taken together, where there are several.
  private var total: String? {
    guard contests.count > 2, contests.allSatisfy({ $0.contenders.count == 2 }) else { return nil }
    let sums = [0, 1].map { place in contests.map { $0.contenders[place].milliseconds.median }.reduce(0, +) }
    return "sum of the medians: \(Self.number(sums[0], decimals: 0)) ms and \(Self.number(sums[1], decimals: 0)) ms, "
      + "the second \(Self.number(sums[1] / max(sums[0], 1e-9), decimals: 2)) times the first"
  }

  private static func row(_ result: ContenderResult) -> String {
    let time = result.milliseconds
    return row([
      result.name, "\(number(time.median, decimals: 2)) ms",
      "\(number(time.lowerQuartile, decimals: 1)) to \(number(time.upperQuartile, decimals: 1)) ms",
      number(result.ratio.median, decimals: 2), "\(number(result.peakKiB / 1024, decimals: 1)) MiB",
    ])
  }

  /// The first column to the left, the others to the right.
  private static func row(_ cells: [String]) -> String {
    let widths = [34, 10, 18, 8, 10]
    return zip(cells, widths).enumerated().map { index, column in
      let padding = String(repeating: " ", count: max(0, column.1 - column.0.count))
      return index == 0 ? column.0 + padding : padding + column.0
    }.joined(separator: " ")
  }

  private static func number(_ value: Double, decimals: Int) -> String {
    String(format: "%.\(decimals)f", value)
  }
}
