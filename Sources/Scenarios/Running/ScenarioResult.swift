public import Evidence
import KVM

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
    /// Everything was, but the host's own work was in the way too often to tell whether its interrupts are posted.
    case hostInTheWay
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

extension ScenarioResult {
  /// Lets a scenario that passed fail where its interrupts did not come the way that the scenario demands.
  ///
  /// Every vCPU that took an interrupt since the stimulus must have got it that way. A kernel that tells nothing of the
  /// way proves nothing: the case is skipped then.
  mutating func demand(_ path: PathDemand, _ host: HostKnowledge) {
    guard case .passed = verdict, path != .any, let evidence else { return }
    guard let wanted = path.paths(on: host) else {
      verdict = .skipped(
        "what is demanded depends on the host, and nothing tells whether it has APICv: "
          + path.features.map { "\($0.title): \(host.survey[$0].evidence)" }.joined(separator: "; "))
      return
    }
    let demanded = "demanded \(wanted.map(\.rawValue).joined(separator: " or "))"
    guard !evidence.interrupts.isEmpty else {
      verdict = .failed("\(demanded), but no vCPU took an interrupt")
      cause = .expectation
      return
    }
    if wanted == [.posted], let obstacle = evidence.obstacleToResidency {
      verdict = .skipped("\(demanded), which entries into the guest and exits alone prove: \(obstacle)")
      return
    }
    guard evidence.interrupts.allSatisfy({ $0.path != nil || evidence.countsInjections(on: $0.vcpu) }) else {
      verdict = .skipped("\(demanded), and this kernel has neither irq_injections nor events that tell the way")
      return
    }
    let others = evidence.interrupts.filter { interrupt in !wanted.contains { $0 == interrupt.verdictPath } }
    guard !others.isEmpty else { return }
    verdict = .failed("\(demanded); saw: \(others.map(\.description).joined(separator: "; "))")
    cause = others.allSatisfy(\.isPostingUndecided) ? .hostInTheWay : .path
  }
}

extension ScenarioResult {
  /// Lets a scenario that passed fail where the hardware delivered an interrupt although APICv was to be off.
  mutating func demandInhibition() {
    guard case .passed = verdict, let evidence else { return }
    let delivered = evidence.interrupts.filter { $0.path == .virtualDelivery || $0.path == .posted }
    guard !delivered.isEmpty else { return }
    verdict = .failed(
      "the parked vCPU did not keep APICv off; saw: \(delivered.map(\.description).joined(separator: "; "))")
    cause = .expectation
  }
}

extension PathDemand {
  /// The ways that meet the demand on a host; nil where any does, and where that depends on something that nothing tells of
  /// the host.
  func paths(on host: HostKnowledge) -> [DeliveryPath]? {
    func choose(_ feature: HostFeature.ID, _ paths: [DeliveryPath]) -> [DeliveryPath]? {
      switch host.survey[feature].state {
      case .available: paths
      case .missing: [.software]
      case .unknown: nil
      }
    }
    return switch self {
    case .any: nil
    case .software: [.software]
    case .virtualDelivery: [.virtualDelivery, .posted]
    case .posted: [.posted]
    case .virtualDeliveryOrSoftware: choose(.apicv, [.virtualDelivery, .posted])
    case .postedOrSoftware: choose(.postedInterrupts, [.posted])
    }
  }

  /// The features of a host that decide what is demanded.
  fileprivate var features: [HostFeature.ID] {
    switch self {
    case .virtualDeliveryOrSoftware: [.apicv]
    case .postedOrSoftware: [.postedInterrupts]
    case .any, .software, .virtualDelivery, .posted: []
    }
  }
}

/// What is done to a scenario to see that it can fail.
public enum SabotageKind: String, Hashable, Sendable, CaseIterable, Codable {
  /// Its stimulus is withheld: it must fail for want of it.
  case stimulus
  /// Its stimulus comes while the vCPUs that are to be interrupted are held out of the guest: its interrupts must no longer
  /// count as posted.
  case path
}

extension ScenarioResult {
  /// The result of a sabotaged run, judged: the run must have failed, and for the sabotage.
  ///
  /// With its stimulus withheld that is so where an expectation of the scenario failed after the point at which it was
  /// withheld; with its path cut off, where all came true but the path. A machine that could not be built, an agent that did
  /// not start or a guest that crashed proves nothing.
  func judged(as sabotage: SabotageKind) -> ScenarioResult {
    var judged = self
    switch verdict {
    case .passed:
      let fault =
        switch sabotage {
        case .stimulus: "it passed although its stimulus was withheld, so it proves nothing"
        case .path: "its interrupts still count as posted although their vCPU was held out of the guest"
        }
      judged.verdict = .failed(fault)
    case .failed(let message):
      guard let obstacle = obstacleToProof(of: sabotage) else {
        judged.verdict = .passed
        judged.scene = nil
        return judged
      }
      judged.verdict = .failed("it failed, but not for want of its \(sabotage.rawValue): \(obstacle): \(message)")
    case .skipped:
      break
    }
    return judged
  }

  private func obstacleToProof(of sabotage: SabotageKind) -> String? {
    guard hasReachedStimulus else { return "it did not get as far" }
    switch cause {
    case .path: return nil
    case .expectation: return sabotage == .stimulus ? nil : "it was not as expected"
    case .machineEnded: return "the guest ended"
    case .call: return "a call was refused"
    case .hostInTheWay: return "the host's own work was in the way"
    case .noRoom: return "there was no room"
    case nil: return "nothing says why"
    }
  }
}
