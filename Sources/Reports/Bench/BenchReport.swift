public import Measurements

/// What `lapwing bench` measured: the value behind the text for a person, the plots, and the JSON document
/// `lapwing.bench/1`.
///
/// The document's keys are these properties' names; docs/bench-report.md describes them.
public struct BenchReport: Codable, Sendable {
  /// The document's type and version.
  public static let schema = "lapwing.bench/1"

  /// `lapwing.bench/1`.
  public var schema = BenchReport.schema
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
