import Histogram

/// Takes many measurements, in rounds: each round takes every measurement once, so that what changes on a host while
/// they are taken changes all of them, and a measurement's rounds lie far apart.
public struct BenchRunner: Sendable {
  /// Takes a round of a measurement.
  public typealias Play = @Sendable (MeasurementCase) -> RoundResult

  private let play: Play
  private let reasonToSkip: @Sendable (Measurement) -> String?
  /// How many rounds.
  public let rounds: Int

  /// The most rounds that can be asked for.
  public static let roundsLimit = 1000

  /// Rounds that are taken by `play`.
  ///
  /// - Parameters:
  ///   - rounds: how many, 1 to `roundsLimit`.
  ///   - reasonToSkip: why a measurement cannot be taken; nil where it can.
  ///   - play: takes one round of one.
  public init(
    rounds: Int, reasonToSkip: @escaping @Sendable (Measurement) -> String? = { _ in nil }, play: @escaping Play
  ) {
    self.rounds = min(max(rounds, 1), Self.roundsLimit)
    self.reasonToSkip = reasonToSkip
    self.play = play
  }

  /// Rounds on this host.
  public init(_ runner: MeasurementRunner, rounds: Int) {
    self.init(rounds: rounds, reasonToSkip: { runner.reasonToSkip($0) }, play: { runner.round($0) })
  }

  /// Takes all rounds. One that fails ends its measurement, not the others.
  ///
  /// - Parameters:
  ///   - cases: what is measured.
  ///   - isInterrupted: asked before each round of each; once true, nothing more begins.
  ///   - watch: called before each with the number of the round, from 1, and the id.
  /// - Returns: a series a case, in their order.
  public func run(
    _ cases: [MeasurementCase], isInterrupted: () -> Bool = { false },
    watch: (_ round: Int, _ id: String) -> Void = { _, _ in }
  ) -> [Series] {
    var series = cases.map { measured in
      var series = Series(measured)
      if let reason = reasonToSkip(measured.measurement) { series.skip(reason) }
      return series
    }
    for round in 0..<rounds {
      for place in cases.indices {
        // Each round begins elsewhere, so that nothing is always measured after the same neighbour has warmed the host up.
        let index = (place + round * cases.count / rounds) % cases.count
        guard series[index].isOpen else { continue }
        if isInterrupted() { return series }
        watch(round + 1, cases[index].id)
        series[index].add(play(cases[index]))
      }
    }
    return series
  }
}

/// What one round of a measurement came to: one machine, one guest, as many samples as were asked for.
public enum RoundResult: Hashable, Sendable {
  /// The samples, in cycles of a TSC of so many kHz.
  case samples([UInt64], kHz: UInt32)
  /// Something went wrong: what.
  case failed(String)
  /// There was no descriptor, thread or memory left, which says nothing of what is measured.
  case noRoom(String)
}

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
