import KVM
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
  /// What it printed of its checks, in order.
  public internal(set) var checks: [UnitTestCheck] = []
  /// How long it took, from reading the image to the machine's end.
  public internal(set) var duration = Duration.zero
  /// What was there to be seen when it failed; nil where it did not, or where there was no machine.
  public internal(set) var scene: UnitTestScene?
  /// All that it printed.
  public internal(set) var output = ""

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
