public import Support
import SystemPackage
public import VMM

/// Runs a suite: cases, as often as was asked for, on as many threads as were asked for.
public struct SuiteRunner: Sendable {
  /// How a case is run: on one of the suite's threads, with what ends it from outside.
  public typealias Play = @Sendable (ScenarioCase, CaseControl) -> ScenarioResult

  /// One run of a case: its place among the cases, and which of its runs it is, from 1.
  private struct Item: Sendable {
    let index: Int
    let round: Int
  }

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
  ///   - sabotage: what is done to every case; a run then passes when its scenario fails for that.
  public init(_ runner: ScenarioRunner, sabotage: SabotageKind? = nil) {
    self.init { testCase, control in
      let result = runner.run(testCase, sabotage: sabotage, control: control)
      return sabotage.map(result.judged) ?? result
    }
    limit = max(runner.patience * 6, limit)
  }

  /// Runs the suite to its end. Cases are begun in their order; they may end in another.
  ///
  /// - Throws: `MachineError.thread` where the host has no thread or descriptor left for it.
  ///
  /// - Parameters:
  ///   - cases: the cases.
  ///   - isInterrupted: asked whenever a case begins or ends; once true, the cases that run are ended and no more begin.
  ///   - interruption: a descriptor that can be read once `isInterrupted` is true for a reason from outside.
  ///   - watch: called on this thread with the runs that have ended since the last call, and the cases that run.
  public func run(
    _ cases: [ScenarioCase], isInterrupted: () -> Bool = { false }, interruption: Int32? = nil,
    watch: (_ ended: [(testCase: ScenarioCase, result: ScenarioResult)], _ running: [ScenarioCase]) -> Void = { _, _ in
    }
  ) throws(MachineError) -> SuiteOutcome {
    var outcome = SuiteOutcome(cases: cases, rounds: rounds)
    let isToEnd = {
      outcome.isInterrupted = isInterrupted()
      return outcome.isInterrupted
    }
    do throws(Errno) {
      try runner(of: cases).run(
        count: cases.count.multipliedReportingOverflow(by: max(rounds, 0)).partialValue,
        item: { [count = cases.count] in Self.item($0, of: count) }, isInterrupted: isToEnd, interruption: interruption,
        watch: { ended, running in
          var results: [(testCase: ScenarioCase, result: ScenarioResult)] = []
          for ended in ended {
            guard let result = result(of: ended, cases) else { continue }
            outcome.add(result, at: ended.ticket.item.index)
            results.append((cases[ended.ticket.item.index], result))
          }
          watch(results, running.map { cases[$0.item.index] })
        })
    } catch {
      throw .thread(errno: error.rawValue)
    }
    return outcome
  }

  /// A run by its number: every case once, then every case again, so that runs of one case are far apart.
  private static func item(_ number: Int, of cases: Int) -> Item {
    let (round, index) = number.quotientAndRemainder(dividingBy: cases)
    return Item(index: index, round: round + 1)
  }

  private func runner(of cases: [ScenarioCase]) -> WorkRunner<Item, ScenarioResult> {
    var runner = WorkRunner<Item, ScenarioResult> { [play, limit] item, control in
      var result = play(cases[item.index], control)
      if control.reason == .overdue { result.noteOverdue(limit) }
      result.round = item.round
      return result
    }
    runner.jobs = jobs
    runner.limit = limit
    runner.grace = grace
    return runner
  }

  /// What a run came to. What became of one that was interrupted says nothing about its case, unless it had passed
  /// already.
  private func result(
    of ended: WorkBoard<Item, ScenarioResult>.Ended, _ cases: [ScenarioCase]
  ) -> ScenarioResult? {
    let item = ended.ticket.item
    var result = ended.outcome ?? .stuck(cases[item.index], .now - ended.ticket.start, limit)
    result.round = item.round
    if case .failed = result.verdict, ended.ticket.control.reason == .interrupted { return nil }
    return result
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
