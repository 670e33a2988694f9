import APIC
public import Measurements

/// One measurement of a run, in one APIC mode.
public struct MeasurementReport: Codable, Sendable {
  /// How it stands with it.
  public enum State: String, Codable, Sendable {
    /// All its rounds were taken.
    case measured
    /// No round was taken.
    case notRun
    /// This host cannot take it.
    case skipped
    /// A round failed.
    case failed
  }

  /// The measurement's id, with the APIC mode where there is more than one.
  public var id: String
  /// What is timed, in a line.
  public var title: String
  /// `cost`, `latency` or `lateness`.
  public var quantity: String
  /// From what to what.
  public var span: String
  /// What the host does for it; absent where that is nothing.
  public var stimulus: String?
  /// `xapic` or `x2apic`.
  public var apic: String
  /// How it stands.
  public var state: State
  /// Why it was skipped or failed; absent where it was measured.
  public var reason: String?
  /// The frequency of the guest's TSC; absent where nothing was measured, like all that follows.
  public var tscKHz: UInt32?
  /// The figures of all rounds together, in TSC cycles.
  public var cycles: Summary?
  /// The same in nanoseconds.
  public var nanoseconds: Nanoseconds?
  /// The figures of each round, in TSC cycles: what tests for a difference go by.
  public var rounds: [Summary]?
  /// All samples, in TSC cycles to three significant digits.
  public var histogram: Buckets?

  /// The figures of a distribution, in nanoseconds.
  public struct Nanoseconds: Codable, Hashable, Sendable {
    /// The smallest sample.
    public var min: Double
    /// Half of the samples are at most so large.
    public var p50: Double
    /// 90 % are.
    public var p90: Double
    /// 99 % are.
    public var p99: Double
    /// 99.9 % are.
    public var p999: Double
    /// The largest.
    public var max: Double
    /// The arithmetic mean.
    public var mean: Double

    init(_ cycles: Summary, kHz: UInt32) {
      func time(_ cycles: UInt64) -> Double { MeasurementReport.nanoseconds(Double(cycles), kHz: kHz) }
      min = time(cycles.min)
      p50 = time(cycles.p50)
      p90 = time(cycles.p90)
      p99 = time(cycles.p99)
      p999 = time(cycles.p999)
      max = time(cycles.max)
      mean = MeasurementReport.nanoseconds(cycles.mean, kHz: kHz)
    }
  }

  /// A histogram: so many samples of each value.
  public struct Buckets: Codable, Hashable, Sendable {
    /// The values, ascending.
    public var cycles: [UInt64]
    /// How many samples each has; as many as there are values.
    public var counts: [UInt64]
  }

  /// The report of a series.
  init(_ series: Series) {
    let measurement = series.measured.measurement
    id = series.measured.id
    title = measurement.title
    quantity = measurement.quantity.rawValue
    span = measurement.span
    stimulus = measurement.stimulus
    apic = series.measured.mode == .x2APIC ? "x2apic" : "xapic"
    switch series.state {
    case .measured: state = .measured
    case .notRun: state = .notRun
    case .skipped(let reason): (state, self.reason) = (.skipped, reason)
    case .failed(let reason): (state, self.reason) = (.failed, reason)
    }
    guard state == .measured, let summary = series.summary else { return }
    tscKHz = series.kHz
    cycles = summary
    nanoseconds = Nanoseconds(summary, kHz: series.kHz)
    rounds = series.rounds
    let buckets = series.buckets
    histogram = Buckets(cycles: buckets.map(\.cycles), counts: buckets.map(\.count))
  }

  /// Cycles as time, to a tenth of a nanosecond, which is more than any TSC tells.
  static func nanoseconds(_ cycles: Double, kHz: UInt32) -> Double {
    (cycles * 1e7 / Double(max(kHz, 1))).rounded() / 10
  }

  /// The histogram's values in nanoseconds, and how many samples each has.
  var samples: [(nanoseconds: Double, count: UInt64)] {
    guard let histogram, let tscKHz else { return [] }
    return zip(histogram.cycles, histogram.counts).map { (Self.nanoseconds(Double($0), kHz: tscKHz), $1) }
  }
}
