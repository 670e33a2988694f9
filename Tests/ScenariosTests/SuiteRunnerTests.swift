import Evidence
import Support
import Synchronization
import SystemPackage
import Testing

@testable import Scenarios

@Suite struct SuiteRunnerTests {
  private static let cases = MadeUpCases.named("a", "b", "c", "d", "e", "f")

  @Test(arguments: [1, 2, 8])
  func `every case is run as often as was asked for, and results are in the catalogue's order`(jobs: Int) throws {
    var suite = SuiteRunner { testCase, _ in MadeUpCases.result(testCase, .passed) }
    suite.jobs = jobs
    suite.rounds = 3
    let outcome = try suite.run(Self.cases)
    #expect(outcome.results.map(\.last?.id) == Self.cases.map(\.id))
    #expect(outcome.results.allSatisfy { $0.runs == 3 && $0.failedRuns == 0 && $0.last?.round == 3 })
    #expect(!outcome.isInterrupted)
  }

  @Test func `so many cases run at the same time`() throws {
    // Each waits for the other: with one thread neither would end.
    let arrived = Atomic<Int>(0)
    var suite = SuiteRunner { testCase, _ in
      arrived.add(1, ordering: .sequentiallyConsistent)
      let deadline = ContinuousClock.now + .seconds(30)
      while arrived.load(ordering: .sequentiallyConsistent) < 2, .now < deadline { Pause.sleep(.milliseconds(1)) }
      let met = arrived.load(ordering: .sequentiallyConsistent) >= 2
      return MadeUpCases.result(testCase, met ? .passed : .failed("alone"))
    }
    suite.jobs = 2
    let outcome = try suite.run(MadeUpCases.named("a", "b"))
    #expect(outcome.results.allSatisfy { $0.last?.verdict == .passed })
  }

  @Test func `whoever watches sees every run once`() throws {
    var seen: [String] = []
    let suite = SuiteRunner { testCase, _ in MadeUpCases.result(testCase, .skipped("no")) }
    _ = try suite.run(Self.cases, watch: { ended, _ in seen += ended.map(\.result.id) })
    #expect(seen == Self.cases.map(\.id))
  }

  @Test func `an interrupted suite keeps what was finished and drops what was cut short`() throws {
    let suite = SuiteRunner { testCase, control in
      guard testCase.id == "c" else { return MadeUpCases.result(testCase, .passed) }
      while control.reason == nil { Pause.sleep(.milliseconds(1)) }
      return MadeUpCases.result(testCase, .failed("its machine was stopped"))
    }
    var ended = 0
    let outcome = try suite.run(Self.cases, isInterrupted: { ended == 2 }, watch: { runs, _ in ended += runs.count })
    #expect(outcome.isInterrupted)
    #expect(outcome.results.map(\.runs) == [1, 1, 0, 0, 0, 0])
  }

  @Test func `a case that takes too long is ended, and says so`() throws {
    var suite = SuiteRunner { testCase, control in
      while testCase.id == "b", control.reason == nil { Pause.sleep(.milliseconds(1)) }
      return MadeUpCases.result(testCase, testCase.id == "b" ? .failed("its guest ended") : .passed)
    }
    suite.limit = .milliseconds(20)
    let outcome = try suite.run(MadeUpCases.named("a", "b", "c"))
    #expect(
      outcome.results[1].last?.verdict
        == .failed("it did not end within 0.02 seconds and was stopped: its guest ended"))
    #expect(outcome.results[2].last?.verdict == .passed)
  }

  @Test func `a case that nothing ends is given up, and the suite goes on`() throws {
    let isOver = Atomic<Bool>(false)
    var suite = SuiteRunner { testCase, _ in
      while testCase.id == "a", !isOver.load(ordering: .relaxed) { Pause.sleep(.milliseconds(1)) }
      return MadeUpCases.result(testCase, .passed)
    }
    suite.limit = .milliseconds(10)
    suite.grace = .milliseconds(10)
    let outcome = try suite.run(MadeUpCases.named("a", "b"))
    isOver.store(true, ordering: .relaxed)
    let first = try #require(outcome.results[0].last)
    #expect(first.verdict.message?.hasPrefix("it did not end within 0.01 seconds, nor when") == true)
    #expect(outcome.results[1].last?.verdict == .passed)
  }
}

@Suite struct CaseOutcomeTests {
  private func result(
    _ round: Int, _ verdict: ScenarioResult.Verdict = .passed, _ duration: Duration = .zero
  ) -> ScenarioResult {
    var result = MadeUpCases.result(MadeUpCases.named("a")[0], verdict)
    (result.round, result.duration) = (round, duration)
    result.evidence = Observation(
      vcpus: [], trace: .unavailable("no"), notifications: NotificationCounts(text: ""), deliversVirtually: nil,
      latency: UInt64(round))
    return result
  }

  @Test func `the first failure, the last run, the longest time and counts are kept, in whatever order runs end`() {
    var outcome = CaseOutcome()
    outcome.add(result(3, .failed("three"), .seconds(1)))
    outcome.add(result(4))
    outcome.add(result(1, .passed, .seconds(5)))
    outcome.add(result(2, .failed("two")))
    #expect((outcome.runs, outcome.failedRuns) == (4, 2))
    #expect(outcome.firstFailure?.verdict == .failed("two"))
    #expect(outcome.last?.round == 4)
    #expect(outcome.longest == .seconds(5))
    #expect(outcome.costs.map(\.latency) == [1, 2, 3, 4])
  }

  @Test func `of the costs of many runs the first are kept`() {
    var outcome = CaseOutcome()
    for round in 1...3000 { outcome.add(result(round ^ 1)) }
    #expect(outcome.costs.count == CaseOutcome.costLimit)
    #expect(outcome.costs.first?.latency == 0)
    #expect(outcome.costs.last?.latency == 250)
  }

  @Test func `a suite that is repeated for long keeps nothing of a run`() throws {
    let seen = Atomic<Int>(0)
    let begun = Atomic<Int>(0)
    var suite = SuiteRunner { testCase, control in
      begun.add(1, ordering: .relaxed)
      // Runs that nobody has taken yet are no leak.
      while begun.load(ordering: .relaxed) > seen.load(ordering: .relaxed) + 8, control.reason == nil {
        Pause.sleep(.microseconds(10))
      }
      var result = MadeUpCases.result(testCase, .passed)
      result.figures = [("text", String(repeating: "x", count: 1_000_000))]
      return result
    }
    // Together they would be 1 GB.
    suite.rounds = 1000
    let before = try #require(Self.residentKiB)
    let outcome = try suite.run(
      MadeUpCases.named("a"), watch: { runs, _ in seen.add(runs.count, ordering: .relaxed) })
    #expect(outcome.results[0].runs == 1000)
    let grown = try #require(Self.residentKiB) - before
    #expect(grown < 500_000, "\(grown) KiB more are resident")
  }

  @Test func `runs are made when they begin, so that there may be any number of them`() throws {
    var suite = SuiteRunner { testCase, _ in
      Pause.sleep(.milliseconds(1))
      return MadeUpCases.result(testCase, .passed)
    }
    suite.rounds = .max
    var ended = 0
    let outcome = try suite.run(
      MadeUpCases.named("a"), isInterrupted: { ended > 3 }, watch: { runs, _ in ended += runs.count })
    #expect(outcome.isInterrupted && outcome.results[0].runs > 3)
  }

  private static var residentKiB: Int? {
    let status = HostFile.text("/proc/self/status")?.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
    return status.flatMap { Int($0.filter(\.isNumber)) }
  }
}

extension ScenarioResult.Verdict {
  /// Why it is not passed.
  var message: String? {
    switch self {
    case .passed: nil
    case .failed(let message), .skipped(let message): message
    }
  }
}
