public import Evidence
import KVM
import Support
public import VMM

/// What a test came to.
public struct UnitTestResult: Sendable {
  /// The outcome of a test.
  public enum Verdict: Hashable, Sendable {
    /// It says so itself.
    case passed
    /// It says so itself, or did not come to its end: what happened.
    case failed(String)
    /// It says so itself, or cannot be run here: for this reason.
    case skipped(String)
  }

  /// The test.
  public let test: UnitTest
  /// The outcome.
  public internal(set) var verdict: Verdict
  /// Whether it failed because there was no descriptor, thread or memory left.
  public internal(set) var metShortage = false
  /// What it printed of its checks, in order.
  public internal(set) var checks: [UnitTestCheck] = []
  /// How long it took, from reading the image to the machine's end.
  public internal(set) var duration = Duration.zero
  /// What was there to be seen when it failed; nil where it did not, or where there was no machine.
  public internal(set) var scene: UnitTestScene?
  /// All that it printed.
  public internal(set) var output = ""
  /// How its interrupts got there; nil where that was not recorded.
  public internal(set) var journeys: JourneyRecorder.Result?

  init(_ test: UnitTest, _ verdict: Verdict) {
    self.test = test
    self.verdict = verdict
  }
}

/// What was there to be seen when a test failed.
public struct UnitTestScene: Sendable {
  /// KVM's statistics of each vCPU, by name.
  public let counters: [[String: UInt64]]
  /// The registers and the local APIC of each vCPU.
  public let vcpus: [VCPUReport]

  /// The scene on a machine whose vCPUs no longer run. What KVM does not give is left out.
  init(_ machine: Machine) {
    counters = machine.vcpus.map { vcpu in
      guard let statistics = try? vcpu.statistics() else { return [:] }
      return Dictionary(statistics.names.map { ($0, statistics[$0] ?? 0) }) { first, _ in first }
    }
    vcpus = (try? machine.reports()) ?? []
  }
}

/// A line of a test's about one thing that it looked at: `PASS: it works`.
public struct UnitTestCheck: Hashable, Sendable {
  /// What it came to.
  public enum Verdict: String, Hashable, Sendable {
    /// `PASS`, and `XFAIL`: it failed as it is known to.
    case passed
    /// `FAIL`, and `XPASS`: it passed although it is known to fail.
    case failed
    /// `SKIP`.
    case skipped
  }

  /// What it came to.
  public let verdict: Verdict
  /// What was looked at.
  public let text: String

  /// The checks among the lines that a test printed.
  public static func all(in output: String) -> [UnitTestCheck] {
    output.linesOfText.compactMap { UnitTestCheck(line: $0) }
  }

  /// The check of a line; nil where it is about none.
  public init?(line: Substring) {
    let bytes = line.utf8
    guard let colon = bytes.prefix(6).firstIndex(of: UInt8(ascii: ":")), let verdict = Self.verdicts[line[..<colon]]
    else {
      return nil
    }
    self.verdict = verdict
    text = String(line[bytes.index(after: colon)...].trimmed)
  }

  private static let verdicts: [Substring: Verdict] = [
    "PASS": .passed, "XFAIL": .passed, "FAIL": .failed, "XPASS": .failed, "SKIP": .skipped,
  ]
}

extension UnitTestResult {
  /// What an image's end says, by the status that QEMU's debug exit makes of it (the suite's scripts/arch-run.bash).
  static func verdict(_ outcome: Outcome, limit: Duration, _ checks: [UnitTestCheck]) -> Verdict {
    switch outcome {
    case .debugExit(let value, _):
      switch DebugExitPort.status(of: value) {
      case 1: return .passed
      case 3: return .failed(failures(checks))
      case 77: return .skipped(checks.last { $0.verdict == .skipped }?.text ?? "it says that this host cannot run it")
      case 127: return .failed("it was aborted")
      case let status: return .failed("it ended with the status \(status), which means nothing")
      }
    case .timeLimit: return .failed("it did not end within \(seconds(limit))")
    case .stopped: return .failed("it was interrupted")
    default: return .failed("\(outcome)")
    }
  }

  private static func failures(_ checks: [UnitTestCheck]) -> String {
    let failed = checks.filter { $0.verdict == .failed }
    guard let first = failed.first else { return "it says so" }
    return first.text + (failed.count > 1 ? ", and \(failed.count - 1) more of \(checks.count) checks" : "")
  }

  private static func seconds(_ limit: Duration) -> String { "\((limit / .seconds(1)).rounded()) s" }
}
