public import VMM

/// Runs a suite: cases, as often as was asked for, on as many threads as were asked for.
public struct SuiteRunner: Sendable {
  /// How a case is run: on one of the suite's threads, with what ends it from outside.
  public typealias Play = @Sendable (ScenarioCase, CaseControl) -> ScenarioResult

  /// How many cases run at the same time.
  public var jobs = 1
  /// How often every case is run.
  public var rounds = 1
  /// How long a case may take in all. It is far more than any needs: it is there for scenarios that hang.
  public var limit = Duration.seconds(60)
  /// How long a case that was ended from outside has to come to its end.
  public var grace = Duration.seconds(5)
  private let play: Play

  /// A suite of cases that are run by `play`.
  public init(play: @escaping Play) {
    self.play = play
  }

  /// A suite of cases that are run on this host.
  ///
  /// - Parameters:
  ///   - runner: runs each case.
  ///   - isSabotaged: withhold every stimulus; a run then passes when its scenario fails for want of it.
  public init(_ runner: ScenarioRunner, isSabotaged: Bool = false) {
    self.init { testCase, control in
      let result = runner.run(testCase, isSabotaged: isSabotaged, control: control)
      return isSabotaged ? result.judgedAsSabotage() : result
    }
    limit = max(runner.patience * 6, limit)
  }

  /// Runs the suite to its end. Cases are begun in their order; they may end in another.
  ///
  /// - Throws: `MachineError.thread` where the host has no thread for it.
  ///
  /// - Parameters:
  ///   - cases: the cases.
  ///   - isInterrupted: asked again and again; once true, the cases that run are ended and no more begin.
  ///   - watch: called on this thread with what has ended since the last call, and what runs.
  public func run(
    _ cases: [ScenarioCase], isInterrupted: () -> Bool = { false },
    watch: (_ ended: [SuiteRun], _ running: [SuiteItem]) -> Void = { _, _ in }
  ) throws(MachineError) -> SuiteOutcome {
    let board = SuiteBoard(SuiteItem.all(cases, rounds: rounds))
    var outcome = SuiteOutcome(cases: cases, rounds: rounds)
    try startWorkers(min(jobs, cases.count * rounds), board)
    while true {
      let isIdle = board.isIdle
      let ended = board.collect()
      for run in ended { outcome.add(run) }
      watch(ended, board.running.map(\.item))
      if isIdle { return outcome }
      if !outcome.isInterrupted, isInterrupted() {
        outcome.isInterrupted = true
        board.close()
        for ticket in board.running { ticket.control.end(.interrupted) }
      }
      endOverdue(board)
      Pause.sleep(.milliseconds(2))
    }
  }

  /// One thread is enough to go on with.
  private func startWorkers(_ count: Int, _ board: SuiteBoard) throws(MachineError) {
    for number in 0..<max(count, 0) {
      do throws(MachineError) {
        try startWorker(board)
      } catch {
        guard number > 0 else { throw error }
        return
      }
    }
  }

  private func startWorker(_ board: SuiteBoard) throws(MachineError) {
    try SuiteThread.start { [play, limit] in
      while let ticket = board.take() {
        var result = play(ticket.item.testCase, ticket.control)
        if ticket.control.reason == .overdue { result.noteOverdue(limit) }
        // Another thread has taken the place of one that was given up.
        guard board.finish(ticket, result) else { return }
      }
    }
  }

  /// Ends cases that take too long, and gives up those whose thread does not come back even then.
  private func endOverdue(_ board: SuiteBoard) {
    for ticket in board.running {
      let age = ContinuousClock.now - ticket.start
      guard let ending = ticket.control.ending else {
        if age > limit { ticket.control.end(.overdue) }
        continue
      }
      guard ContinuousClock.now - ending.time > grace else { continue }
      board.abandon(ticket, ending.reason == .overdue ? .stuck(ticket.item.testCase, age, limit) : nil)
      // A host without a thread for the others' sake has bigger worries: what is left is reported as not run.
      if (try? startWorker(board)) == nil { board.close() }
    }
  }
}

extension ScenarioResult {
  /// Says in a failure that the case was ended because it took too long.
  fileprivate mutating func noteOverdue(_ limit: Duration) {
    guard case .failed(let message) = verdict else { return }
    verdict = .failed("it did not end within \(limit) and was stopped: \(message)")
  }

  /// The result of a case that nothing could end.
  fileprivate static func stuck(_ testCase: ScenarioCase, _ age: Duration, _ limit: Duration) -> ScenarioResult {
    var result = ScenarioResult(testCase)
    result.verdict = .failed("it did not end within \(limit), nor when its machine was stopped: its thread is stuck")
    result.duration = age
    return result
  }
}
