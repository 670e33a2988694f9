public import Evidence
public import KVM
import Support
import SystemPackage
public import VMM

/// Runs tests, several at a time, each on a machine of its own.
public struct UnitTestRunner: Sendable {
  /// How many tests run at the same time.
  public var jobs = 1
  private let system: System
  private let tracing: Tracing?

  /// What records how interrupts get there.
  public struct Tracing: Sendable {
    let pool: TracePool
    let deliversVirtually: Bool?

    /// - Parameters:
    ///   - pool: where trace instances are to be had.
    ///   - deliversVirtually: whether this host can deliver interrupts by virtual-interrupt delivery; nil where nothing
    ///     tells.
    public init(_ pool: TracePool, deliversVirtually: Bool?) {
      self.pool = pool
      self.deliversVirtually = deliversVirtually
    }
  }

  /// A runner on this host.
  ///
  /// - Parameters:
  ///   - system: its KVM.
  ///   - tracing: what records how interrupts get there; nil for nothing.
  public init(system: System, tracing: Tracing? = nil) {
    self.system = system
    self.tracing = tracing
  }

  /// Runs tests to their end. They are begun in their order; they may end in another.
  ///
  /// - Parameters:
  ///   - plans: the tests.
  ///   - isInterrupted: asked whenever a test begins or ends; once true, the tests that run are ended and no more begin.
  ///   - interruption: a descriptor that can be read once `isInterrupted` is true for a reason from outside.
  ///   - watch: called on this thread with what has ended since the last call, and the names of what runs.
  /// - Returns: what each came to, in the order of `plans`; nil for one that was not run to its end.
  /// - Throws: `MachineError.thread` where the host has no thread or descriptor left for it.
  public func run(
    _ plans: [UnitTestPlan], isInterrupted: () -> Bool = { false }, interruption: Int32? = nil,
    watch: (_ ended: [UnitTestResult], _ running: [String]) -> Void = { _, _ in }
  ) throws(MachineError) -> [UnitTestResult?] {
    var runner = WorkRunner { [system, tracing] index, control in
      Self.run(plans[index], on: system, tracing, control)
    }
    runner.jobs = jobs
    var results = [UnitTestResult?](repeating: nil, count: plans.count)
    do throws(Errno) {
      try runner.run(
        Array(plans.indices), isInterrupted: isInterrupted, interruption: interruption,
        watch: { ended, running in
          let ended = ended.filter(\.tells)
          for item in ended { results[item.ticket.item] = item.outcome }
          watch(ended.compactMap(\.outcome), running.map { plans[$0.item].test.name })
        })
    } catch {
      throw .thread(errno: error.rawValue)
    }
    return results
  }

  private static func run(
    _ plan: UnitTestPlan, on system: System, _ tracing: Tracing?, _ control: WorkControl
  ) -> UnitTestResult {
    let start = ContinuousClock.now
    var result: UnitTestResult
    switch plan.decision {
    case .skip(let reason): result = UnitTestResult(plan.test, .skipped(reason))
    case .run(let file, let configuration, let limit):
      do {
        let machine = try Machine(
          configuration, image: try GuestImage(file: file), on: system, console: Console())
        control.whenEnded { machine.end(.stopped) }
        defer { control.whenEnded(nil) }
        result = try play(machine, plan.test, limit, tracing)
      } catch ImageError.file(.unreadable(.noSuchFileOrDirectory)) {
        result = UnitTestResult(plan.test, .skipped("there is no image \(file)"))
      } catch MachineError.missingCapability(let capability, let purpose) {
        let error = MachineError.missingCapability(capability, purpose: purpose)
        result = UnitTestResult(plan.test, .skipped(error.description))
      } catch let error as TraceUnavailable {
        result = UnitTestResult(plan.test, .failed("its interrupts cannot be recorded: \(error)"))
      } catch {
        result = UnitTestResult(plan.test, .failed("the image '\(file)' cannot be run: \(error)"))
        result.metShortage = MachineError.isShortage(error)
      }
    }
    result.duration = .now - start
    return result
  }

  private static func play(
    _ machine: Machine, _ test: UnitTest, _ limit: Duration, _ tracing: Tracing?
  ) throws -> UnitTestResult {
    // Before the machine is started: its threads are recorded because this one starts them.
    let recorder = try tracing.map { try JourneyRecorder($0.pool, deliversVirtually: $0.deliversVirtually) }
    var threads: [Int32] = []
    let outcome = try machine.run(limit: limit, tick: { recorder?.drain() }, ended: { threads = $0 })
    let output = machine.console.text
    let checks = UnitTestCheck.all(in: output)
    var result = UnitTestResult(test, UnitTestResult.verdict(outcome, limit: limit, checks))
    if case .runFailed(let error, _) = outcome { result.metShortage = error.isShortage }
    result.checks = checks
    result.output = output
    result.journeys = try recorder?.finish(machine, threads: threads, taken: [])
    if case .failed = result.verdict { result.scene = UnitTestScene(machine) }
    return result
  }
}

extension WorkBoard<Int, UnitTestResult>.Ended {
  /// Whether it says something: a test that was interrupted does not, unless it had come to its end already.
  fileprivate var tells: Bool {
    guard let outcome else { return false }
    if case .failed = outcome.verdict { return ticket.control.reason != .interrupted }
    return true
  }
}
