public import Measurements
import Support

/// What `lapwing bench` measured: the value behind the text for a person, the plots, and the JSON document
/// `lapwing.bench/1`.
///
/// The document's keys are these properties' names; docs/bench-report.md describes them.
public struct BenchReport: Codable, Sendable {
  /// The document's type and version.
  public static let schema = "lapwing.bench/1"

  /// `lapwing.bench/1`.
  public var schema = BenchReport.schema
  /// What wrote it, and on which host; absent where that was not said.
  public var origin: ReportOrigin?
  /// Whether all that this host can measure was measured.
  public var success: Bool
  /// Whether it was ended before its time: there are fewer rounds then, or measurements without any.
  public var isInterrupted: Bool
  /// Where it ran.
  public var host: Host
  /// How it was run.
  public var options: Options
  /// How long it took in all, in nanoseconds.
  public var duration: Int64
  /// What was measured, in the catalogue's order.
  public var measurements: [MeasurementReport]
  /// How it differs from an earlier run; absent without one.
  public var comparison: BenchComparison?

  /// Where measurements were taken.
  public struct Host: Codable, Hashable, Sendable {
    /// The release of the kernel.
    public var kernel: String
    /// The kernel module behind /dev/kvm; absent where none is known.
    public var backEnd: String?
    /// Why interrupts are, or are not, delivered by the processor (APICv, AVIC): the survey's finding.
    public var apicv: String

    /// A host.
    public init(kernel: String, backEnd: String?, apicv: String) {
      self.kernel = kernel
      self.backEnd = backEnd
      self.apicv = apicv
    }
  }

  /// How measurements were taken.
  public struct Options: Codable, Hashable, Sendable {
    /// What selected them; empty for all.
    public var filters: [String]
    /// How many rounds were to be taken of each.
    public var rounds: Int
    /// How many samples a round has.
    public var samples: Int

    /// How measurements are taken.
    public init(filters: [String] = [], rounds: Int, samples: Int) {
      self.filters = filters
      self.rounds = rounds
      self.samples = samples
    }
  }

  /// The report of a run.
  ///
  /// - Parameters:
  ///   - series: what was measured.
  ///   - host: where.
  ///   - options: how.
  ///   - isInterrupted: whether it was ended before its time.
  ///   - duration: how long it took.
  public init(_ series: [Series], host: Host, options: Options, isInterrupted: Bool = false, duration: Duration) {
    self.host = host
    self.options = options
    self.isInterrupted = isInterrupted
    self.duration = duration.nanoseconds
    measurements = series.map { MeasurementReport($0) }
    success = !isInterrupted && measurements.allSatisfy { $0.state == .measured || $0.state == .skipped }
  }
}

extension BenchReport {
  /// The largest file that is read, in bytes; a run of a thousand rounds has a fraction of that.
  public static let sizeLimit = 64 << 20

  /// Reads a document that `lapwing bench --format json` has written.
  ///
  /// - Parameter bytes: the file.
  /// - Throws: `JSONDocument.Unreadable` for anything else.
  public init(json bytes: [UInt8]) throws(JSONDocument.Unreadable) {
    self = try JSONDocument.read(BenchReport.self, schema: Self.schema, from: bytes)
    guard measurements.allSatisfy({ ($0.rounds ?? []).count <= BenchRunner.roundsLimit }) else {
      throw JSONDocument.Unreadable(description: "it has more than \(BenchRunner.roundsLimit) rounds")
    }
    guard measurements.allSatisfy({ $0.rounds == nil || ($0.tscKHz ?? 0) > 0 }) else {
      throw JSONDocument.Unreadable(description: "a measurement has rounds and no frequency of its TSC")
    }
  }
}

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
