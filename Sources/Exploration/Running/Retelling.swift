public import KVM

/// A step as it went: what the model and the machine answered.
public struct ToldStep: Sendable {
  /// The step, as in `msi.send vector=0x40 destination=0x1`.
  public var step: String
  /// What the model answered.
  public var expected: String
  /// What the machine answered.
  public var seen: String
  /// What differed then.
  public var mismatches: [StateMismatch]
  /// What the kernel recorded meanwhile, a line each.
  public var events: [String]
}

extension Step {
  /// The operation and its arguments, without those behind the last that is not 0.
  public var text: String {
    let written = kind.arguments.enumerated().map { "\($1.name)=0x" + String(arguments[$0], radix: 16) }
    let last = kind.arguments.indices.last { arguments[$0] != 0 } ?? 0
    return ([kind.name] + written.prefix(last + 1)).joined(separator: " ")
  }
}

extension HistoryBench {
  /// Runs a history, and tells each step.
  ///
  /// - Parameters:
  ///   - history: What to do; it ends with the first difference.
  ///   - recorder: Called before each step, and after it, where it gives what was recorded meanwhile.
  /// - Throws: `KVMError` where the host has no room for the machine.
  public func tell(
    _ history: History, recorder: (begin: () -> Void, end: () -> [String]) = ({}, { [] })
  ) throws(KVMError) -> [ToldStep] {
    let run = try HistoryRun(
      history.machine, deviations: deviations, subject: try make(history.machine), clock: clock)
    var told: [ToldStep] = []
    for step in history.steps {
      recorder.begin()
      let mismatches = try run.perform(step)
      let events = recorder.end()
      told.append(
        ToldStep(
          step: step.text, expected: run.lastAnswer?.description ?? "an answer",
          seen: run.lastSeen?.description ?? "a failing call", mismatches: mismatches,
          events: events))
      if !mismatches.isEmpty { break }
    }
    return told
  }
}
