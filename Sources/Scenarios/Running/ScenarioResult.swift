public import Evidence

/// What running a case came to.
public struct ScenarioResult: Sendable {
  /// The outcome of a case.
  public enum Verdict: Hashable, Sendable {
    /// Everything was as expected.
    case passed
    /// Something was not: what was expected and what was seen.
    case failed(String)
    /// This host cannot run it, for this reason.
    case skipped(String)
  }

  /// The case's id.
  public let id: String
  /// The scenario's title.
  public let title: String
  /// What it exercises.
  public let exercises: [String]
  /// Which of the case's runs it was, from 1.
  public internal(set) var round = 1
  /// The outcome.
  public internal(set) var verdict = Verdict.failed("it was not run")
  /// How long it took.
  public internal(set) var duration = Duration.zero
  /// What the scenario measured.
  public internal(set) var figures: [(name: String, value: String)] = []
  /// How its interrupts got to the guest; nil where its scenario did not begin.
  public internal(set) var evidence: Observation?
  /// Whether the scenario came to its stimulus.
  public internal(set) var hasReachedStimulus = false
  /// What made the scenario fail; nil where it did not, or was not told.
  public internal(set) var cause: Cause?
  /// The trait that the host lacks by the expectation that was not met; nil where it decides on none.
  public internal(set) var missingTrait: HostTrait?
  /// What was there to be seen after a failure.
  public internal(set) var scene: FailureScene?

  /// What makes a scenario fail.
  public enum Cause: Hashable, Sendable {
    /// Something was not as the scenario expected.
    case expectation
    /// Everything was, but its interrupts did not come the way that is demanded.
    case path
    /// The guest ended before the scenario did.
    case machineEnded
    /// KVM, or the operating system, refused a call.
    case call
    /// There was no descriptor, thread or memory left, which says nothing of KVM.
    case noRoom
  }

  init(_ testCase: ScenarioCase) {
    id = testCase.id
    title = testCase.scenario.title
    exercises = testCase.scenario.exercises
  }
}
