public import KVM
import Scenarios
import SystemPackage
public import VMM

/// Runs tests, several at a time, each on a machine of its own.
public struct UnitTestRunner: Sendable {
  /// How many tests run at the same time.
  public var jobs = 1
  private let system: System

  /// A runner on this host.
  public init(system: System) { self.system = system }

  /// Runs tests to their end. They are begun in their order; they may end in another.
  ///
  /// - Parameters:
  ///   - plans: the tests.
  ///   - isInterrupted: asked again and again; once true, the tests that run are ended and no more begin.
  ///   - watch: called on this thread with what has ended since the last call, and the names of what runs.
  /// - Returns: what each came to, in the order of `plans`; nil for one that was not run to its end.
  /// - Throws: `MachineError.thread` where the host has no thread for it.
  public func run(
    _ plans: [UnitTestPlan], isInterrupted: () -> Bool = { false },
    watch: (_ ended: [UnitTestResult], _ running: [String]) -> Void = { _, _ in }
  ) throws(MachineError) -> [UnitTestResult?] {
    let board = UnitTestBoard(plans)
    for number in 0..<max(1, min(jobs, plans.count)) {
      do throws(MachineError) {
        try SuiteThread.start { [system] in
          while let ticket = board.take() { board.finish(ticket, Self.run(ticket.plan, on: system, board, ticket)) }
        }
      } catch {
        // One thread is enough to go on with.
        guard number > 0 else { throw error }
        break
      }
    }
    while true {
      let isIdle = board.isIdle
      watch(board.collect(), board.running)
      if isIdle { return board.results }
      if isInterrupted() { board.close() }
      board.wait(atMost: .milliseconds(20))
    }
  }

  private static func run(
    _ plan: UnitTestPlan, on system: System, _ board: UnitTestBoard, _ ticket: UnitTestBoard.Ticket
  ) -> UnitTestResult {
    let start = ContinuousClock.now
    var result: UnitTestResult
    switch plan.decision {
    case .skip(let reason): result = UnitTestResult(plan.test, .skipped(reason))
    case .run(let file, let configuration, let limit):
      do {
        let machine = try Machine(
          configuration, image: try GuestImage(file: file), on: system, console: Console())
        board.attach(machine, to: ticket)
        result = try play(machine, plan.test, limit)
        board.attach(nil, to: ticket)
      } catch ImageError.unreadable(.noSuchFileOrDirectory) {
        result = UnitTestResult(plan.test, .skipped("there is no image \(file)"))
      } catch MachineError.missingCapability(let capability, let purpose) {
        let error = MachineError.missingCapability(capability, purpose: purpose)
        result = UnitTestResult(plan.test, .skipped(error.description))
      } catch {
        result = UnitTestResult(plan.test, .failed("the image '\(file)' cannot be run: \(error)"))
      }
    }
    result.duration = .now - start
    return result
  }

  private static func play(
    _ machine: Machine, _ test: UnitTest, _ limit: Duration
  ) throws(MachineError) -> UnitTestResult {
    let outcome = try machine.run(limit: limit)
    let output = machine.console.text
    let checks = UnitTestCheck.all(in: output)
    var result = UnitTestResult(test, UnitTestResult.verdict(outcome, limit: limit, checks))
    result.checks = checks
    result.output = output
    if case .failed = result.verdict { result.scene = UnitTestScene(machine) }
    return result
  }
}
