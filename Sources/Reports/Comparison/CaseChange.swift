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
