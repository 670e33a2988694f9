public import KVM
import Synchronization

/// Runs histories, one after another, until time is up.
public final class Explorer: Sendable {
  /// What is explored.
  public struct Options: Sendable {
    /// What decides every history.
    public var seed: UInt64
    /// How many steps a history has at the most.
    public var steps = 2000
    /// The families of operations to choose among; all where there is none.
    public var families: Set<OperationFamily> = []
    /// Whether vCPUs may execute instructions.
    public var hasGuest = false
    /// Operations that are left out, by name.
    public var omitted: Set<String> = []
    /// How long one difference may be shrunk.
    public var shrinkLimit = Duration.seconds(20)
    /// After how many different findings nothing more is looked for.
    public var findings = 20

    /// Options with a seed.
    public init(seed: UInt64) { self.seed = seed }
  }

  /// What has come of it so far.
  public struct Result: Sendable {
    /// How many histories were begun.
    public var histories = 0
    /// How many steps were done.
    public var operations = 0
    /// What was met.
    public var coverage = Coverage()
    /// What steps of several actors have come to.
    public var orders = OrderCounts()
    /// The different findings, shrunk, and how many histories showed each.
    public var findings: [(finding: HistoryFinding, count: Int)] = []
    /// How long the histories took, and how much of that the calls of the machine that was looked at, in nanoseconds.
    public var time: (whole: UInt64, calls: UInt64) = (0, 0)
    /// What the host had no room for, where it ran out of something.
    public var failure: KVMError?

    init() {}
  }

  private let bench: HistoryBench
  private let options: Options
  private let state = Mutex(Result())
  /// What was seen at each place before it was shrunk: the signatures.
  private let seen = Mutex<[String: Set<String>]>([:])
  /// How many steps of which history were begun, and when the last of them was.
  private let underway = Mutex<[Int: (steps: Int, since: UInt64)]>([:])
  private let next = Atomic<Int>(0)
  private let stopped = Atomic<Bool>(false)

  /// An explorer.
  public init(_ bench: HistoryBench, _ options: Options) {
    self.bench = bench
    self.options = options
  }

  /// What has come of it so far; from any thread.
  public var result: Result { state.withLock { $0 } }

  /// Ends it soon; from any thread.
  public func stop() { stopped.store(true, ordering: .relaxed) }

  /// How long a history lasts at the most, in nanoseconds: less than the shortest count of a timer.
  private static let longestHistory: UInt64 = 2_000_000_000

  private var isStopped: Bool { stopped.load(ordering: .relaxed) }

  /// Explores on this thread until it is stopped; several threads may.
  public func work() {
    while !isStopped {
      let number = next.wrappingAdd(1, ordering: .relaxed).oldValue
      do throws(KVMError) {
        guard let finding = try explore(number) else { continue }
        try report(finding)
      } catch {
        state.withLock { $0.failure = error }
        stop()
      }
    }
  }

  /// One history.
  func explore(_ number: Int) throws(KVMError) -> HistoryFinding? {
    var generator = generator(number)
    var history = History(machine: generator.machine())
    let run = try HistoryRun(
      history.machine, deviations: bench.deviations, subject: try bench.make(history.machine), takesTurns: true,
      clock: bench.clock)
    var coverage = Coverage()
    var finding: HistoryFinding?
    var previous: Int?
    // Those that were left out do not count.
    var operations = 0
    defer { _ = underway.withLock { $0.removeValue(forKey: number) } }
    let start = bench.clock()
    let end = start &+ Self.longestHistory
    while history.steps.count < options.steps, !isStopped, bench.clock() < end {
      let step = generator.step()
      history.steps.append(step)
      let begun = (steps: history.steps.count, since: bench.clock())
      underway.withLock { $0[number] = begun }
      let mismatches = try run.perform(step)
      if let answer = run.lastAnswer { coverage.note(step.operation, after: previous, answer) }
      if run.lastAnswer != nil || !mismatches.isEmpty { (operations, previous) = (operations + 1, step.operation) }
      guard !run.isUndecided else { break }
      guard mismatches.isEmpty else {
        finding = HistoryFinding(history: history, mismatches: mismatches, originalSteps: history.steps.count)
        break
      }
    }
    coverage.note(run.metRules)
    let (done, met, whole, calls) = (operations, coverage, bench.clock() &- start, run.callTime)
    let orders = run.orders
    state.withLock {
      $0.time.whole += whole
      $0.time.calls += calls
      $0.histories += 1
      $0.operations += done
      $0.coverage.add(met)
      $0.orders.add(orders)
    }
    return finding
  }

  private func generator(_ number: Int) -> HistoryGenerator {
    HistoryGenerator(
      seed: options.seed &+ UInt64(number) &* 0x2545_f491_4f6c_dd1d, families: options.families,
      omitted: options.omitted, hasGuest: options.hasGuest)
  }

  /// Gives up histories whose last step has not come back, such as where a vCPU waits in the kernel for what nobody sends, and tells
  /// them as findings; from any thread. The threads that are at them stay where they are.
  ///
  /// - Parameter limit: For how many nanoseconds a step may last.
  /// - Returns: Whether there was one. Then the exploring is at its end.
  public func abandon(after limit: UInt64) -> Bool {
    let now = bench.clock()
    let lost = underway.withLock { table in
      let lost = table.filter { now > $0.value.since && now - $0.value.since > limit }
      for number in lost.keys { table[number] = nil }
      return lost
    }
    guard !lost.isEmpty else { return false }
    stop()
    let found = lost.map { number, begun in
      var generator = generator(number)
      var history = History(machine: generator.machine())
      for _ in 0..<begun.steps { history.steps.append(generator.step()) }
      let mismatch = StateMismatch("the call", "an answer", "none for \(limit / 1_000_000_000) s")
      return HistoryFinding(history: history, mismatches: [mismatch], originalSteps: begun.steps)
    }
    state.withLock { result in result.findings += found.map { ($0, 1) } }
    return true
  }

  /// How many findings at one place are shrunk: one may hide another there, and most are the same.
  private static let shrunkAtOnePlace = 5

  /// Whether a finding is to be looked into: nothing like it was, at this place and after this operation.
  private func isNew(_ finding: HistoryFinding) -> Bool {
    seen.withLock { seen in
      var known = seen[finding.place] ?? []
      guard known.count < Self.shrunkAtOnePlace else { return false }
      let isNew = known.insert(finding.signature).inserted
      seen[finding.place] = known
      return isNew
    }
  }

  /// Notes what was found: what is known already is counted, what is new is shrunk and repeated.
  private func report(_ finding: HistoryFinding) throws(KVMError) {
    guard isNew(finding) else {
      return state.withLock { result in
        let known =
          result.findings.firstIndex { $0.finding.signature == finding.signature }
          ?? result.findings.firstIndex { $0.finding.isLike(finding) }
        if let known { result.findings[known].count += 1 }
      }
    }
    let end = ContinuousClock.now + options.shrinkLimit
    // With everything compared after each step it may show earlier.
    var whole = try bench.run(finding.history, upTo: finding.history.trials) ?? finding
    whole.originalSteps = finding.originalSteps
    var shrunk = try Shrinker(bench) { ContinuousClock.now > end }.shrink(whole)
    shrunk.rate = try repetitions(of: shrunk)
    let (new, limit) = (shrunk, options.findings)
    let isEnough = state.withLock { result in
      if let known = result.findings.firstIndex(where: { $0.finding.signature == new.signature }) {
        result.findings[known].count += 1
      } else {
        result.findings.append((new, 1))
      }
      return result.findings.count >= limit
    }
    if isEnough { stop() }
  }

  /// How often a history shows its difference again.
  private func repetitions(of finding: HistoryFinding) throws(KVMError) -> (shown: Int, of: Int) {
    var shown = 0
    for _ in 0..<10 where try bench.run(finding.history) != nil { shown += 1 }
    return (shown, 10)
  }
}
