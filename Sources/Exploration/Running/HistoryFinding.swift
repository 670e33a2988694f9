public import KVM
public import ReferenceModel

/// A history after whose last step a machine does not do as the model does.
public struct HistoryFinding: Sendable {
  /// The history, up to the step that shows it.
  public var history: History
  /// What differs then; empty where a call failed.
  public var mismatches: [StateMismatch]
  /// The call that failed, where one did.
  public var failure: KVMError?
  /// How many steps the history had when it was found.
  public var originalSteps: Int
  /// In how many of how many repetitions it showed again.
  public var rate: (shown: Int, of: Int) = (1, 1)

  /// What it is about: where the first difference is, without numbers. Histories that show the same are one finding.
  public var signature: String {
    guard let first = mismatches.first else { return "call: \(failure?.call.description ?? "none")" }
    let kind = history.steps.last?.kind.name ?? "start"
    return kind + ": " + first.place.filter { !$0.isNumber }
  }

  /// Whether another history shows the same thing, at whatever vCPU or pin.
  func isLike(_ other: HistoryFinding) -> Bool {
    mismatches.first?.place.filter { !$0.isNumber } == other.mismatches.first?.place.filter { !$0.isNumber }
      && failure?.call == other.failure?.call
  }
}

/// Makes the machines that histories are run on, and says which kernel the model stands for.
public struct HistoryBench: Sendable {
  /// Which kernel the model stands for.
  public var deviations: Deviations
  /// The time in nanoseconds that timers count in.
  public var clock: @Sendable () -> UInt64
  /// Makes a machine after power-on.
  public var make: @Sendable (HistoryMachine) throws(KVMError) -> any InterruptSubject

  /// A bench.
  public init(
    deviations: Deviations, clock: @escaping @Sendable () -> UInt64,
    make: @escaping @Sendable (HistoryMachine) throws(KVMError) -> any InterruptSubject
  ) {
    self.deviations = deviations
    self.clock = clock
    self.make = make
  }

  /// Runs a history on a machine of its own.
  ///
  /// - Parameter history: What to do.
  /// - Returns: The difference that it shows, with the history cut behind it; nil for none.
  /// - Throws: `KVMError` where no machine can be made.
  public func run(_ history: History) throws(KVMError) -> HistoryFinding? {
    let run = try HistoryRun(
      history.machine, deviations: deviations, subject: try make(history.machine), clock: clock)
    for (number, step) in history.steps.enumerated() {
      var finding = HistoryFinding(
        history: History(machine: history.machine, steps: []), mismatches: [], originalSteps: history.steps.count)
      do throws(KVMError) {
        finding.mismatches = try run.perform(step)
        guard !finding.mismatches.isEmpty else { continue }
      } catch {
        finding.failure = error
      }
      finding.history.steps = Array(history.steps[...number])
      return finding
    }
    return nil
  }
}
