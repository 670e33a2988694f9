import Measurements
import Support

extension BenchReport {
  /// The report for a person: a table, the distributions, what was skipped or failed, the comparison.
  public func text(_ style: Style = Style()) -> String {
    let measured = measurements.filter { $0.state == .measured }
    var lines: [TextLine] = []
    if !measured.isEmpty {
      lines += table(measured).enumerated().map { $0 == 0 ? style.bold($1) : $1 } + [""]
      lines += plot(measured, style) + [""]
    }
    for report in measurements where report.state != .measured { lines.append(report.complaint(style)) }
    if measured.count < measurements.count { lines.append("") }
    if let comparison { lines += comparison.lines(style) + [""] }
    return (lines + [summary(measured.count)]).text
  }

  private func table(_ measured: [MeasurementReport]) -> [TextLine] {
    var table = Table()
    table.add(["", "min", "p50", "p90", "p99", "p99.9", "max", "mean", "n"])
    for report in measured {
      guard let times = report.nanoseconds, let cycles = report.cycles else { continue }
      let figures = [times.min, times.p50, times.p90, times.p99, times.p999, times.max, times.mean]
      table.add(["\(report.id)"] + figures.map(Units.shortTime).lines + ["\(cycles.n)"])
    }
    return table.lines()
  }

  /// A line a measurement on one logarithmic axis; the square root of the counts, so that rare samples can be seen.
  private func plot(_ measured: [MeasurementReport], _ style: Style) -> [TextLine] {
    guard let scale = LogScale(measured.flatMap { $0.samples.map(\.nanoseconds) }) else { return [] }
    let ids = measured.map(\.id).lines
    let width = ids.map(\.width).max() ?? 0
    let blocks = Array(" ▁▂▃▄▅▆▇█")
    let rows: [TextLine] = zip(ids, measured).map { id, report in
      let counts = scale.counts(report.samples)
      let most = Double(max(counts.max() ?? 1, 1))
      let bars = counts.map { count in
        count == 0 ? blocks[0] : blocks[max(Int((Double(count) / most).squareRoot() * 8 + 0.5), 1)]
      }
      return "  \(id.padded(to: width))  \(String(bars))"
    }
    var axis = String(repeating: " ", count: width + 4)
    for (column, label) in scale.marks {
      let blanks = width + 4 + column - axis.count
      axis += String(repeating: " ", count: max(blanks, column == 0 ? 0 : 1)) + label
    }
    return rows + [style.dim(TextLine(axis))]
  }

  private func summary(_ measured: Int) -> TextLine {
    let skipped = measurements.count { $0.state == .skipped }
    let failed = measurements.count { $0.state == .failed }
    let notRun = measurements.count { $0.state == .notRun }
    var parts: [TextLine] = ["\(measured) measured", "\(failed) failed", "\(skipped) skipped"]
    if notRun > 0 { parts.append("\(notRun) not run") }
    let rounds = Units.count(options.rounds, "round")
    return parts.joined(separator: ", ") + "; \(rounds) of \(Units.count(options.samples, "sample")) each, in"
      + " \(Units.time(duration)), on \(host.backEnd ?? "an unknown back end"), Linux \(host.kernel)"
      + (isInterrupted ? "; interrupted" : "")
  }
}

extension MeasurementReport {
  /// Why there is nothing to be shown.
  fileprivate func complaint(_ style: Style) -> TextLine {
    switch state {
    case .measured: "\(id)"
    case .notRun: "\(style.yellow("not run"))  \(id)"
    case .skipped: "\(style.yellow("skip   "))  \(id): \(reason ?? "")"
    case .failed: "\(style.red("FAILED "))  \(id): \(reason ?? "")"
    }
  }
}
