public import Evidence

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

/// What the runs of one case came to. No more is kept of them than a report has, however many there are: a suite may be
/// repeated for days.
public struct CaseOutcome: Sendable {
  /// Of how many runs the costs are kept: enough for a median.
  public static let costLimit = 250

  /// How many have ended.
  public private(set) var runs = 0
  /// How many of these failed.
  public private(set) var failedRuns = 0
  /// How long the longest took.
  public private(set) var longest = Duration.zero
  /// The first run that failed, by the order in which they were begun; nil where none did.
  public private(set) var firstFailure: ScenarioResult?
  /// The last run, likewise.
  public private(set) var last: ScenarioResult?

  /// In the order of their rounds.
  private var keptCosts: [(round: Int, cost: DeliveryCost)] = []

  /// No runs yet.
  public init() {}

  /// What interrupts cost in the first of the runs, in their order; a run whose scenario did not begin has no cost.
  public var costs: [DeliveryCost] { keptCosts.map(\.cost) }

  /// Takes a run in. Those that ran side by side may end in any order.
  public mutating func add(_ result: ScenarioResult) {
    runs += 1
    longest = max(longest, result.duration)
    if result.hasFailed {
      failedRuns += 1
      if result.round < firstFailure?.round ?? .max { firstFailure = result }
    }
    if result.round >= last?.round ?? 0 { last = result }
    guard let cost = result.evidence?.cost else { return }
    let place = (keptCosts.lastIndex { $0.round <= result.round } ?? -1) + 1
    guard place < Self.costLimit else { return }
    if keptCosts.count == Self.costLimit { keptCosts.removeLast() }
    keptCosts.insert((result.round, cost), at: place)
  }
}

extension ScenarioResult {
  fileprivate var hasFailed: Bool {
    if case .failed = verdict { true } else { false }
  }
}
