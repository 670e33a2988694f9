/// What running a suite came to.
public struct SuiteOutcome: Sendable {
  /// The cases, in their order.
  public let cases: [ScenarioCase]
  /// How often each was to be run.
  public let rounds: Int
  /// What each case's runs that have ended came to, by the case's place.
  public private(set) var results: [CaseOutcome]
  /// Whether it was ended before its time.
  public internal(set) var isInterrupted = false

  init(cases: [ScenarioCase], rounds: Int) {
    self.cases = cases
    self.rounds = rounds
    results = Array(repeating: CaseOutcome(), count: cases.count)
  }

  /// Whether a case failed because there was no descriptor, thread or memory left: then a failure says nothing of KVM.
  public var metShortage: Bool { results.contains { $0.firstFailure?.cause == .noRoom } }

  mutating func add(_ result: ScenarioResult, at index: Int) { results[index].add(result) }

  /// The same of some of the cases alone.
  ///
  /// - Parameter isIncluded: whether a case is one of them.
  public func part(_ isIncluded: (ScenarioCase) -> Bool) -> SuiteOutcome {
    let places = cases.indices.filter { isIncluded(cases[$0]) }
    var part = SuiteOutcome(cases: places.map { cases[$0] }, rounds: rounds)
    part.results = places.map { results[$0] }
    part.isInterrupted = isInterrupted
    return part
  }
}
