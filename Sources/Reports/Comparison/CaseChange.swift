import Measurements

/// How a case of the suite differs from what it was before.
public struct CaseChange: Codable, Hashable, Sendable {
  /// What has changed, the worst first.
  public enum Kind: String, Codable, CaseIterable, Sendable {
    /// It fails, and did not.
    case fails
    /// Software injects interrupts that the hardware delivered alone.
    case softwarePath = "software-path"
    /// It passed and is skipped.
    case skipped
    /// It leaves the guest more often.
    case moreExits = "more-exits"
    /// Software injects more interrupts.
    case moreInjections = "more-injections"
    /// Its interrupts get to the guest in another way, which says nothing of better or worse.
    case otherPath = "other-path"
    /// It leaves the guest less often.
    case fewerExits = "fewer-exits"
    /// Software injects fewer interrupts.
    case fewerInjections = "fewer-injections"
    /// The hardware alone delivers what software injected.
    case hardwarePath = "hardware-path"
    /// It was skipped and is run.
    case runs
    /// It failed and does not.
    case passes

    /// Whether a change of this kind is a regression.
    public var isRegression: Bool {
      switch self {
      case .fails, .softwarePath, .skipped, .moreExits, .moreInjections: true
      case .otherPath, .fewerExits, .fewerInjections, .hardwarePath, .runs, .passes: false
      }
    }
  }

  /// The case's id.
  public var id: String
  /// What has changed.
  public var kind: Kind
  /// Whether that is a regression.
  public var isRegression: Bool
  /// Why it fails or is skipped now; absent for other kinds.
  public var reason: String?
  /// What it came to before: a verdict, or the ways of its interrupts; absent for counts.
  public var before: [String]?
  /// What it comes to now.
  public var now: [String]?
  /// The counts of before and now; absent for other kinds.
  public var counts: Counts?

  /// A count of exits or injections, before and now.
  public struct Counts: Codable, Hashable, Sendable {
    /// The median of the earlier runs.
    public var before: Double
    /// The median of the runs of now.
    public var now: Double
    /// The probability of such a difference between runs that do not differ, corrected for the number of tests (Holm).
    public var adjustedPValue: Double
  }

  init(_ id: String, _ kind: Kind) {
    self.id = id
    self.kind = kind
    isRegression = kind.isRegression
  }
}

extension CaseChange {
  /// How the verdict of a case has changed; nil where it has not.
  init?(verdictOf item: CaseReport, from old: CaseReport) {
    let kind: Kind
    switch (old.verdict, item.verdict) {
    case (let old, .failed) where old != .failed: kind = .fails
    case (.passed, .skipped): kind = .skipped
    case (.failed, .passed), (.expectedFailure, .passed): kind = .passes
    case (.skipped, .passed): kind = .runs
    default: return nil
    }
    self.init(item.id, kind)
    reason = item.reason
    before = [old.verdict.rawValue]
    now = [item.verdict.rawValue]
  }

  /// How the ways of a case's interrupts have changed; nil where they have not, or one of the two runs has none.
  init?(pathsOf item: CaseReport, from old: CaseReport) {
    guard !old.paths.isEmpty, !item.paths.isEmpty, Set(old.paths) != Set(item.paths) else { return nil }
    let software = "software"
    let kind: Kind =
      switch (old.paths.contains(software), item.paths.contains(software)) {
      case (false, true): .softwarePath
      case (true, false): .hardwarePath
      default: .otherPath
      }
    self.init(item.id, kind)
    before = old.paths
    now = item.paths
  }
}

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
