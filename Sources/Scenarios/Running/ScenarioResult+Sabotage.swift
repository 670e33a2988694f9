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
    case .noRoom: return "there was no room"
    case nil: return "nothing says why"
    }
  }
}
