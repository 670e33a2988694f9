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
