/// One run of a case, of as many as were asked for.
public struct SuiteItem: Sendable {
  /// The case's place in the suite, from 0.
  public let index: Int
  /// The case.
  public let testCase: ScenarioCase
  /// Which of its runs, from 1.
  public let round: Int

  /// All runs: every case once, then every case again, so that runs of one case are far apart.
  static func all(_ cases: [ScenarioCase], rounds: Int) -> [SuiteItem] {
    (0..<max(rounds, 0)).flatMap { round in
      cases.enumerated().map { SuiteItem(index: $0, testCase: $1, round: round + 1) }
    }
  }
}

/// A run that has ended.
public struct SuiteRun: Sendable {
  /// Which.
  public let item: SuiteItem
  /// What it came to.
  public let result: ScenarioResult
}
