import Support
import Synchronization
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
    #expect(outcome.results.map { $0.map(\.id) } == Self.cases.map { Array(repeating: $0.id, count: 3) })
    #expect(outcome.results.allSatisfy { $0.map(\.round) == [1, 2, 3] })
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
    #expect(outcome.results.allSatisfy { $0.first?.verdict == .passed })
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
    #expect(outcome.results.map(\.count) == [1, 1, 0, 0, 0, 0])
  }

  @Test func `a case that takes too long is ended, and says so`() throws {
    var suite = SuiteRunner { testCase, control in
      while testCase.id == "b", control.reason == nil { Pause.sleep(.milliseconds(1)) }
      return MadeUpCases.result(testCase, testCase.id == "b" ? .failed("its guest ended") : .passed)
    }
    suite.limit = .milliseconds(20)
    let outcome = try suite.run(MadeUpCases.named("a", "b", "c"))
    #expect(
      outcome.results[1].first?.verdict
        == .failed("it did not end within 0.02 seconds and was stopped: its guest ended"))
    #expect(outcome.results[2].first?.verdict == .passed)
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
    let first = try #require(outcome.results[0].first)
    #expect(first.verdict.message?.hasPrefix("it did not end within 0.01 seconds, nor when") == true)
    #expect(outcome.results[1].first?.verdict == .passed)
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
