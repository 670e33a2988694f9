extension ScenarioResult {
  /// The result of a sabotaged run, judged: the run must have failed, and for want of its stimulus.
  ///
  /// That is so where an expectation of the scenario failed after the point at which the stimulus was withheld. A machine that
  /// could not be built, an agent that did not start or a guest that crashed proves nothing.
  func judgedAsSabotage() -> ScenarioResult {
    var judged = self
    switch verdict {
    case .passed:
      judged.verdict = .failed("it passed although its stimulus was withheld, so it proves nothing")
    case .failed(let message):
      guard let obstacle = obstacleToProof else {
        judged.verdict = .passed
        judged.scene = nil
        return judged
      }
      judged.verdict = .failed("it failed, but not for want of its stimulus: \(obstacle): \(message)")
    case .skipped:
      break
    }
    return judged
  }

  private var obstacleToProof: String? {
    guard hasReachedStimulus else { return "it did not get as far" }
    switch cause {
    case .expectation: return nil
    case .machineEnded: return "the guest ended"
    case .call: return "a call was refused"
    case nil: return "nothing says why"
    }
  }
}
