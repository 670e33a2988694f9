/// What running a suite came to.
public struct SuiteOutcome: Sendable {
  /// The cases, in their order.
  public let cases: [ScenarioCase]
  /// How often each was to be run.
  public let rounds: Int
  /// The runs of each case that have ended, by the case's place, in the order of their rounds.
  public private(set) var runs: [[SuiteRun]]
  /// Whether it was ended before its time.
  public internal(set) var isInterrupted = false

  init(cases: [ScenarioCase], rounds: Int) {
    self.cases = cases
    self.rounds = rounds
    runs = Array(repeating: [], count: cases.count)
  }

  mutating func add(_ run: SuiteRun) {
    let place = runs[run.item.index].firstIndex { $0.item.round > run.item.round }
    runs[run.item.index].insert(run, at: place ?? runs[run.item.index].endIndex)
  }

  /// The same of some of the cases alone.
  ///
  /// - Parameter isIncluded: whether a case is one of them.
  public func part(_ isIncluded: (ScenarioCase) -> Bool) -> SuiteOutcome {
    let places = cases.indices.filter { isIncluded(cases[$0]) }
    var part = SuiteOutcome(cases: places.map { cases[$0] }, rounds: rounds)
    part.runs = places.map { runs[$0] }
    part.isInterrupted = isInterrupted
    return part
  }
}
