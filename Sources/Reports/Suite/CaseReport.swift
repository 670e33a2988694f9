/// What a case came to, all its runs taken together.
public struct CaseReport: Codable, Sendable {
  /// What a case comes to.
  public enum Verdict: String, Codable, Sendable {
    /// Every run passed.
    case passed
    /// A run failed.
    case failed
    /// This host cannot run it.
    case skipped
    /// A run failed, as a file of known deviations says it does on this host (`ExpectedFailures`).
    case expectedFailure = "expected-failure"
  }

  /// Its id.
  public var id: String
  /// The first word of its id, which cases about one thing share.
  public var family: String
  /// What holds where it passes.
  public var title: String
  /// The kernel functions, KVM calls and SDM sections that it exercises.
  public var exercises: [String]
  /// What it came to.
  public var verdict: Verdict
  /// Why it failed, is expected to fail or was skipped; absent where it passed.
  public var reason: String?
  /// How often it was run.
  public var runs: Int
  /// How many of these runs failed.
  public var failedRuns: Int
  /// How long its longest run took, in nanoseconds.
  public var duration: Int64
  /// What it measured, in its last run.
  public var figures: [Figure]
  /// The ways by which its interrupts got to the guest in its last run, each once: `software`, `virtual-interrupt delivery`,
  /// `posted`.
  public var paths: [String] = []
  /// How each of its interrupts got to the guest in its last run, and what that rests on.
  public var evidence: [String] = []
  /// What its interrupts cost, a run each up to the 250th; a run whose scenario did not begin has none.
  public var costs: [Cost] = []
  /// What a test of kvm-unit-tests printed of its checks, in order; absent for scenarios.
  public var checks: [Check]?
  /// How the interrupts of a test of kvm-unit-tests got there; absent unless that was asked for.
  public var trace: RunReport.TraceReport?
  /// Its first failure; absent where no run failed.
  public var failure: FailureReport?
  /// The command that runs it alone.
  public var command: String

  /// One thing that a test of kvm-unit-tests looked at.
  public struct Check: Codable, Hashable, Sendable {
    /// What it came to: `passed`, `failed` or `skipped`.
    public var verdict: Verdict
    /// What was looked at, in the test's words.
    public var text: String
  }

  /// Something that a scenario measured.
  public struct Figure: Codable, Hashable, Sendable {
    /// What.
    public var name: String
    /// How much, with its unit.
    public var value: String
  }
}

extension CaseReport {
  /// What the interrupts of a run cost from its stimulus on, all vCPUs taken together. A count that the kernel does not
  /// keep is absent.
  public struct Cost: Codable, Hashable, Sendable {
    /// How many were taken.
    public var interrupts: Int
    /// VM exits.
    public var exits: UInt64?
    /// Interrupts that software injected.
    public var injections: UInt64?
    /// Interrupt-window exits.
    public var windowExits: UInt64?
    /// Cycles of the guest's TSC from the stimulus to the first interrupt.
    public var latency: UInt64?
  }
}

/// What was there to be seen when a case failed.
public struct FailureReport: Codable, Sendable {
  /// Which run failed, from 1.
  public var round: Int
  /// What was expected, and what was seen.
  public var message: String
  /// The interrupts that the guest had recorded.
  public var interrupts: [InterruptCount]
  /// KVM's statistics of each vCPU, by name.
  public var counters: [[String: UInt64]]
  /// The registers and the local APIC of each vCPU.
  public var vcpus: [VCPUStateReport]
  /// The end of what a test of kvm-unit-tests printed; absent for scenarios.
  public var console: String?

  /// How often a vCPU took an interrupt through a vector.
  public struct InterruptCount: Codable, Hashable, Sendable {
    /// The vCPU's index.
    public var vcpu: Int
    /// The vector, 0 to 255.
    public var vector: UInt8
    /// How often.
    public var count: Int
  }
}
