import Support

extension BenchReport {
  private enum Size {
    static let row = 30
    static let bar = 22.0
    static let column = 8
    static let left = 190
    static let right = 20
    static let top = 54
    static let bottom = 40
  }

  /// The distributions as an SVG drawing: a row a measurement on one logarithmic axis, with its median and its 99th
  /// percentile. It follows the reader's choice of light or dark.
  public var svg: String {
    let measured = measurements.filter { $0.state == .measured }
    guard let scale = LogScale(measured.flatMap { $0.samples.map(\.nanoseconds) }) else {
      return document(width: 400, height: Size.top, [text(10, 24, "nothing was measured", "title")])
    }
    let width = Size.left + scale.columns * Size.column + Size.right
    let bottom = Size.top + measured.count * Size.row
    var parts = [text(10, 24, "lapwing bench: \(host.backEnd ?? "KVM"), Linux \(host.kernel)", "title")]
    parts.append(
      text(10, 42, "\(options.rounds) rounds of \(options.samples) samples; heights are square roots of counts", "note")
    )
    for (column, label) in scale.marks {
      let x = Size.left + column * Size.column
      parts.append("<line class=\"grid\" x1=\"\(x)\" y1=\"\(Size.top)\" x2=\"\(x)\" y2=\"\(bottom)\"/>")
      parts.append(text(x, bottom + 18, label, "mark"))
    }
    for (index, report) in measured.enumerated() {
      parts += row(report, scale, baseline: Size.top + (index + 1) * Size.row - 4)
    }
    return document(width: width, height: bottom + Size.bottom, parts)
  }

  private func row(_ report: MeasurementReport, _ scale: LogScale, baseline: Int) -> [String] {
    guard let times = report.nanoseconds else { return [] }
    let counts = scale.counts(report.samples)
    let most = Double(max(counts.max() ?? 1, 1))
    let title =
      "\(report.title): p50 \(Units.shortTime(times.p50)), p99 \(Units.shortTime(times.p99)), "
      + "max \(Units.shortTime(times.max))"
    var parts = ["<g><title>\(XML.text(TextLine(title).text))</title>", text(10, baseline - 4, report.id, "name")]
    for (column, count) in counts.enumerated() where count > 0 {
      let height = max((Double(count) / most).squareRoot() * Size.bar, 1)
      parts.append(
        "<rect class=\"bar\" x=\"\(Size.left + column * Size.column)\" y=\"\(number(Double(baseline) - height))\""
          + " width=\"\(Size.column - 1)\" height=\"\(number(height))\"/>")
    }
    for (name, time) in [("p50", times.p50), ("p99", times.p99)] {
      let x = number(Double(Size.left) + scale.position(time) * Double(Size.column))
      parts.append(
        "<line class=\"\(name)\" x1=\"\(x)\" y1=\"\(baseline - Int(Size.bar))\" x2=\"\(x)\" y2=\"\(baseline + 2)\"/>")
    }
    return parts + ["</g>"]
  }

  private func document(width: Int, height: Int, _ parts: [String]) -> String {
    let style = """
      svg { background: #fff; font: 12px system-ui, sans-serif; }
      text { fill: #222; } .title { font-size: 15px; font-weight: 600; } .note, .mark { fill: #666; }
      .mark { text-anchor: middle; } .grid { stroke: #ddd; } .bar { fill: #4878a8; }
      .p50 { stroke: #222; stroke-width: 1.5; } .p99 { stroke: #c04030; stroke-dasharray: 3 2; stroke-width: 1.5; }
      @media (prefers-color-scheme: dark) {
        svg { background: #161616; } text { fill: #eee; } .note, .mark { fill: #aaa; } .grid { stroke: #333; }
        .bar { fill: #6fa0d0; } .p50 { stroke: #eee; }
      }
      """
    return """
      <svg xmlns="http://www.w3.org/2000/svg" width="\(width)" height="\(height)" viewBox="0 0 \(width) \(height)">
      <style>\(style)</style>
      \(parts.joined(separator: "\n"))
      </svg>
      """
  }

  private func text(_ x: Int, _ y: Int, _ text: String, _ name: String) -> String {
    "<text class=\"\(name)\" x=\"\(x)\" y=\"\(y)\">\(XML.text(TextLine(text).text))</text>"
  }

  private func number(_ value: Double) -> String { Units.fixed(value, digits: 1) }
}

/// A logarithmic axis of time, twelve columns a decade: what distributions with long tails are drawn on.
struct LogScale {
  static let columnsPerDecade = 12
  /// 10 to the power of 1/12.
  private static let step = 1.211_527_658_628_588_4

  /// Where the axis begins, in nanoseconds: a power of ten.
  let start: Double
  let decades: Int
  private let edges: [Double]

  var columns: Int { decades * Self.columnsPerDecade }

  /// An axis of whole decades that holds all of these times, in nanoseconds; nil where there are none. A time of 0, which
  /// no decade holds, lies at its beginning.
  init?(_ times: [Double]) {
    guard let most = times.max() else { return nil }
    let least = times.lazy.filter { $0 > 0 }.min() ?? most
    var start = 1.0
    while start * 10 <= least, start < 1e15 { start *= 10 }
    var decades = 1
    var end = start * 10
    while end <= most, decades < 16 {
      end *= 10
      decades += 1
    }
    self.start = start
    self.decades = decades
    var edges: [Double] = []
    var decade = start
    for _ in 0..<decades {
      var edge = decade
      for _ in 0..<Self.columnsPerDecade {
        edges.append(edge)
        edge *= Self.step
      }
      decade *= 10
    }
    self.edges = edges + [decade]
  }

  /// Where a time lies, in columns from the left; straight lines between two columns.
  func position(_ time: Double) -> Double {
    guard time > start else { return 0 }
    guard let right = edges.firstIndex(where: { $0 > time }) else { return Double(columns) }
    return Double(right - 1) + (time - edges[right - 1]) / (edges[right] - edges[right - 1])
  }

  /// How many samples lie in each column.
  func counts(_ samples: [(nanoseconds: Double, count: UInt64)]) -> [UInt64] {
    var counts = [UInt64](repeating: 0, count: columns)
    for sample in samples {
      let column = min(Int(position(sample.nanoseconds)), columns - 1)
      let (sum, overflow) = counts[column].addingReportingOverflow(sample.count)
      counts[column] = overflow ? .max : sum
    }
    return counts
  }

  /// The decades' beginnings with their names, by column; the end too.
  var marks: [(column: Int, label: String)] {
    var time = start
    return (0...decades).map { decade in
      defer { time *= 10 }
      let (size, unit) = time >= 1e9 ? (1e9, "s") : time >= 1e6 ? (1e6, "ms") : time >= 1e3 ? (1e3, "µs") : (1, "ns")
      return (decade * Self.columnsPerDecade, "\(Units.fixed(time / size, digits: 0)) \(unit)")
    }
  }
}
