import Measurements

/// Whether a count of a case's runs differs from that of earlier runs, by the Mann-Whitney U test.
struct CostTest {
  let id: String
  /// Which change more of it is, and which less.
  let kinds: (more: CaseChange.Kind, fewer: CaseChange.Kind)
  let before: [Double]
  let now: [Double]

  /// The tests of a case: none where a run lacks the count.
  static func all(of item: CaseReport, from old: CaseReport) -> [CostTest] {
    let figures: [(KeyPath<CaseReport.Cost, UInt64?>, more: CaseChange.Kind, fewer: CaseChange.Kind)] = [
      (\.exits, .moreExits, .fewerExits), (\.injections, .moreInjections, .fewerInjections),
    ]
    return figures.compactMap { figure, more, fewer in
      let before = old.costs.compactMap { $0[keyPath: figure].map { Double($0) } }
      let now = item.costs.compactMap { $0[keyPath: figure].map { Double($0) } }
      guard !before.isEmpty, !now.isEmpty else { return nil }
      return CostTest(id: item.id, kinds: (more, fewer), before: before, now: now)
    }
  }

  /// The changes that are shown beyond doubt.
  ///
  /// - Parameters:
  ///   - tests: all that are made, for whose number each is corrected.
  ///   - level: the probability with which any difference at all is found between runs that do not differ.
  static func changes(_ tests: [CostTest], level: Double) -> [CaseChange] {
    let adjusted = Holm.adjusted(tests.map(\.pValue))
    return zip(tests, adjusted).compactMap { test, pValue in
      let (before, now) = (test.before.median, test.now.median)
      guard pValue < level, before != now else { return nil }
      var change = CaseChange(test.id, now > before ? test.kinds.more : test.kinds.fewer)
      change.counts = CaseChange.Counts(before: before, now: now, adjustedPValue: pValue)
      return change
    }
  }

  /// The two-sided p-value. Counts are mostly the same in all runs, which needs no test.
  private var pValue: Double {
    let isConstant = (before + now).allSatisfy { $0 == now[0] }
    return isConstant ? 1 : RankTest.pValue(before, now)
  }

  /// Whether so many tests could show anything, even of groups of which one lies wholly above the other.
  static func canShow(_ tests: [CostTest], level: Double) -> Bool {
    tests.contains { RankTest.smallestPValue($0.before.count, $0.now.count) * Double(tests.count) < level }
  }
}
