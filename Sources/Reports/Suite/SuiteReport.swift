import Support

/// What running the suite came to: the one value behind the text for a person, KTAP, JUnit, and the JSON document
/// `lapwing.test/1`.
///
/// The document's keys are these properties' names; docs/test-report.md describes them. Times are in nanoseconds.
public struct SuiteReport: Codable, Sendable {
  /// The document's type and version.
  public static let schema = "lapwing.test/1"

  /// `lapwing.test/1`.
  public var schema = SuiteReport.schema
  /// What wrote it, and on which host; absent where that was not said.
  public var origin: ReportOrigin?
  /// The command that ran it: `lapwing test` or `lapwing kut`.
  public var program = "lapwing test"
  /// Whether nothing failed and all was run.
  public var success: Bool
  /// Whether stimuli were withheld: a case passes then when its scenario fails for want of it.
  public var isSabotage: Bool
  /// `stimulus` or `path`: what was done to every case; nil for nothing.
  public var sabotage: String?
  /// Whether it was ended before its time; cases that were not run are in `notRun`.
  public var isInterrupted: Bool
  /// Where it ran.
  public var host: Host
  /// How it was run.
  public var options: Options
  /// How many cases came to what.
  public var totals: Totals
  /// How long it took in all.
  public var duration: Int64
  /// The cases that were run, in the catalogue's order.
  public var cases: [CaseReport]
  /// The ids of those that were selected and not run.
  public var notRun: [String]
  /// Why cases were skipped, the commonest reason first.
  public var skips: [Skip]
  /// What has changed since an earlier report; absent without one.
  public var regressions: RegressionReport?

  /// Where a suite ran.
  public struct Host: Codable, Hashable, Sendable {
    /// The release of the kernel.
    public var kernel: String
    /// The kernel module behind /dev/kvm; absent where none is known.
    public var backEnd: String?

    /// A host.
    public init(kernel: String, backEnd: String?) {
      self.kernel = kernel
      self.backEnd = backEnd
    }
  }

  /// How a suite was run.
  public struct Options: Codable, Sendable {
    /// What selected the cases; empty for all.
    public var filters: [String]
    /// This host's part of them, such as `1/4`; absent for all.
    public var shard: String?
    /// How often each case was to be run.
    public var rounds: Int
    /// How many cases ran at the same time.
    public var jobs: Int
    /// How long a scenario waited for anything, in nanoseconds.
    public var patience: Int64
    /// What the host was required to have.
    public var requirements: [String]

    /// How a suite is run.
    public init(
      filters: [String] = [], shard: String? = nil, rounds: Int = 1, jobs: Int = 1, patience: Duration = .seconds(30),
      requirements: [String] = []
    ) {
      self.filters = filters
      self.shard = shard
      self.rounds = rounds
      self.jobs = jobs
      self.patience = patience.nanoseconds
      self.requirements = requirements
    }
  }

  /// How many cases came to what.
  public struct Totals: Codable, Hashable, Sendable {
    /// Cases whose every run passed.
    public var passed = 0
    /// Cases of which a run failed.
    public var failed = 0
    /// Cases that this host cannot run.
    public var skipped = 0
    /// Cases that failed as was expected; absent where nothing was.
    public var expectedFailures: Int?
    /// Cases that were selected and not run.
    public var notRun = 0
    /// All runs of all cases; with `--repeat` more than there are cases.
    public var runs = 0
  }

  /// A reason for which cases were skipped.
  public struct Skip: Codable, Hashable, Sendable {
    /// The reason, in the host's words.
    public var reason: String
    /// The cases.
    public var ids: [String]

    /// Cases by their reasons, each reason where it comes first.
    static func grouped(_ skipped: some Sequence<(id: String, reason: String?)>) -> [Skip] {
      var skips: [Skip] = []
      for (id, reason) in skipped {
        let reason = reason ?? ""
        if let place = skips.firstIndex(where: { $0.reason == reason }) {
          skips[place].ids.append(id)
        } else {
          skips.append(Skip(reason: reason, ids: [id]))
        }
      }
      return skips
    }
  }
}

extension Duration {
  /// The duration in whole nanoseconds.
  var nanoseconds: Int64 { Int64(clamping: Int128(self / .nanoseconds(1))) }
}

/// Why reports are not those of one suite's parts.
public struct UnmergeableReports: Error, CustomStringConvertible {
  /// What is wrong, with the names of the files.
  public let description: String
}

extension SuiteReport {
  /// One report of a suite that was run in parts, as with `--shard`.
  ///
  /// Cases keep the order of the parts. It took as long as the longest of them.
  ///
  /// - Parameter parts: The parts, with what they are called; at least one.
  /// - Throws: `UnmergeableReports` where two have a case in common, or were run on different kernels, back ends or otherwise
  ///   than the others.
  public init(merging parts: [(name: String, report: SuiteReport)]) throws(UnmergeableReports) {
    guard let first = parts.first else { throw UnmergeableReports(description: "there is no report to merge") }
    var owners: [String: String] = [:]
    for part in parts {
      func differ(_ what: String) -> UnmergeableReports {
        UnmergeableReports(description: "'\(part.name)' and '\(first.name)' \(what)")
      }
      guard part.report.program == first.report.program else { throw differ("are of different commands") }
      guard part.report.host == first.report.host else { throw differ("are of different kernels or back ends") }
      guard part.report.sabotage == first.report.sabotage else { throw differ("were sabotaged differently") }
      guard part.report.options.rounds == first.report.options.rounds else {
        throw differ("have different numbers of runs a case")
      }
      for id in part.report.cases.map(\.id) + part.report.notRun {
        if let owner = owners.updateValue(part.name, forKey: id) {
          throw UnmergeableReports(
            description: "'\(owner)' and '\(part.name)' both have the case '\(Escape.shown(id, atMost: 80))': "
              + "they are no parts of one suite")
        }
      }
    }
    var options = first.report.options
    options.shard = nil
    options.filters = parts.flatMap(\.report.options.filters).uniqued
    options.requirements = parts.flatMap(\.report.options.requirements).uniqued
    self.init(
      parts.flatMap(\.report.cases), program: first.report.program, notRun: parts.flatMap(\.report.notRun),
      isInterrupted: parts.contains { $0.report.isInterrupted }, host: first.report.host, options: options,
      sabotage: first.report.sabotage, duration: parts.map(\.report.duration).max() ?? 0)
    origin = parts.allSatisfy { $0.report.origin == first.report.origin } ? first.report.origin : nil
  }
}

extension [String] {
  /// Each once, where it stands first.
  fileprivate var uniqued: [String] {
    var seen: Set<String> = []
    return filter { seen.insert($0).inserted }
  }
}
