import Figures
import Foundation

extension Comparison {
  /// For a person.
  func table() -> String {
    var lines = [
      "\(rounds) rounds on \(host.processors) processors (\(host.processor)), Linux \(host.kernel)",
      "",
      Self.row(["", "median", "quartiles", "x floor", "peak RSS"]),
    ]
    for contest in contests { lines += contest.contenders.map(Self.row) + [""] }
    lines.append("Wall time from spawn to exit. 'x floor' is the median of the ratios round by round.")
    lines += skipped.map { "Not compared with \($0)." }
    return lines.joined(separator: "\n")
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
