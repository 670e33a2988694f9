import Histogram

/// What all rounds of a measurement came to.
public struct Series: Sendable {
  /// How it stands with a measurement.
  public enum State: Hashable, Sendable {
    /// There are rounds, and all that were taken succeeded.
    case measured
    /// No round was taken yet.
    case notRun
    /// It cannot be taken here, for this reason.
    case skipped(String)
    /// A round failed, in this way; those before it count for nothing.
    case failed(String)
  }

  /// What was measured.
  public let measured: MeasurementCase
  /// How it stands.
  public private(set) var state = State.notRun
  /// Whether it failed because there was no descriptor, thread or memory left.
  public private(set) var metShortage = false
  /// Each round by itself, in TSC cycles.
  public private(set) var rounds: [Summary] = []
  private var histogram = Self.emptyHistogram
  /// The frequency of the guests' TSC; 0 before the first round.
  public private(set) var kHz: UInt32 = 0

  /// The largest sample that is recorded, in cycles: about half an hour.
  public static let largestSample: UInt64 = 1 << 42

  /// A series without rounds.
  public init(_ measured: MeasurementCase) {
    self.measured = measured
  }

  /// All rounds together; nil without any.
  public var summary: Summary? { rounds.isEmpty ? nil : Summary(histogram) }

  /// All samples in TSC cycles, to three significant digits, ascending, and how many there are of each.
  public var buckets: [(cycles: UInt64, count: UInt64)] { histogram.recordedValues().map { ($0.value, $0.count) } }

  var isOpen: Bool { state == .notRun || state == .measured }

  mutating func skip(_ reason: String) { state = .skipped(reason) }

  mutating func add(_ result: RoundResult) {
    switch result {
    case .failed(let reason): state = .failed(reason)
    case .noRoom(let reason):
      state = .failed(reason)
      metShortage = true
    case .samples(let samples, let kHz):
      var round = Self.emptyHistogram
      // A guest may report anything.
      guard !samples.isEmpty, samples.allSatisfy({ $0 <= Self.largestSample && round.record($0) }) else {
        state = .failed("the guest gave no samples, or such as nothing takes so long")
        return
      }
      for sample in samples { histogram.record(sample) }
      rounds.append(Summary(round))
      self.kHz = kHz
      state = .measured
    }
  }

  private static var emptyHistogram: Histogram<UInt64> {
    Histogram(highestTrackableValue: largestSample, numberOfSignificantValueDigits: .three)
  }
}
