public import KVM
public import ReferenceModel

/// A history after whose last step a machine does not do as the model does.
public struct HistoryFinding: Sendable {
  /// The history, up to the step that shows it.
  public var history: History
  /// What differs then.
  public var mismatches: [StateMismatch]
  /// How many steps the history had when it was found.
  public var originalSteps: Int
  /// In how many of how many repetitions it showed again.
  public var rate: (shown: Int, of: Int) = (1, 1)

  /// What it is about: the last operation, and where the first difference is, without numbers.
  public var signature: String { (history.steps.last?.kind.name ?? "start") + ": " + place }

  /// Where the first difference is, without numbers.
  var place: String { mismatches.first?.place.filter { !$0.isNumber } ?? "nowhere" }

  /// Whether another history shows something at the same place, at whatever vCPU or pin: while one is shrunk, its last operation may
  /// become another.
  func isLike(_ other: HistoryFinding) -> Bool { place == other.place }
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

  /// A clock for it: nanoseconds from now on, of CLOCK_MONOTONIC, in which KVM's timers count.
  public static func clock() -> @Sendable () -> UInt64 {
    let epoch = SuspendingClock.now
    return {
      let passed = (SuspendingClock.now - epoch).components
      return UInt64(clamping: passed.seconds) * 1_000_000_000 + UInt64(clamping: passed.attoseconds / 1_000_000_000)
    }
  }

  /// Runs a history on a machine of its own.
  ///
  /// - Parameter history: What to do.
  /// - Returns: The difference that it shows, with the history cut behind it; nil for none.
  /// - Throws: `KVMError` where the host has no room for the machine.
  public func run(_ history: History) throws(KVMError) -> HistoryFinding? {
    let run = try HistoryRun(
      history.machine, deviations: deviations, subject: try make(history.machine), clock: clock)
    for (number, step) in history.steps.enumerated() {
      let mismatches = try run.perform(step)
      guard !run.isUndecided else { return nil }
      guard !mismatches.isEmpty else { continue }
      return HistoryFinding(
        history: History(machine: history.machine, steps: Array(history.steps[...number])), mismatches: mismatches,
        originalSteps: history.steps.count)
    }
    return nil
  }
}

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
    guard !isConcurrent else {
      let own = actors.map { steps in steps.map(\.text).joined(separator: "; ") }
      return "\(kind.name) { \(own.joined(separator: " | ")) }"
    }
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
      let isLeftOut = run.lastAnswer == nil && mismatches.isEmpty
      told.append(
        ToldStep(
          step: step.text,
          expected: run.lastExpectedText ?? run.lastAnswer?.description ?? (isLeftOut ? "no return" : "an answer"),
          seen: run.lastSeenText ?? run.lastSeen?.description ?? (isLeftOut ? "left out" : "a failing call"),
          mismatches: mismatches, events: events))
      if !mismatches.isEmpty || run.isUndecided { break }
    }
    return told
  }
}
