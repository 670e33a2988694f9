import Glibc
import KVM
import Synchronization
import VMM

/// What a runner's threads share: the tests that wait, that go on, and that have ended.
final class UnitTestBoard: Sendable {
  /// A test that goes on.
  struct Ticket: Sendable {
    let index: Int
    let plan: UnitTestPlan
  }

  private struct State {
    var next = 0
    var running: [Int: Machine?] = [:]
    var results: [UnitTestResult?]
    var fresh: [Int] = []
    var isClosed = false
  }

  private let plans: [UnitTestPlan]
  private let state: Mutex<State>

  init(_ plans: [UnitTestPlan]) {
    self.plans = plans
    state = Mutex(State(results: Array(repeating: nil, count: plans.count)))
  }

  /// Takes the next test; nil where none is left.
  func take() -> Ticket? {
    state.withLock { state in
      guard !state.isClosed, state.next < plans.count else { return nil }
      defer { state.next += 1 }
      state.running[state.next] = .some(nil)
      return Ticket(index: state.next, plan: plans[state.next])
    }
  }

  /// Says which machine to end where the run is interrupted.
  func attach(_ machine: Machine?, to ticket: Ticket) {
    let isClosed = state.withLock { state in
      state.running[ticket.index] = .some(machine)
      return state.isClosed
    }
    if isClosed { machine?.end(.stopped) }
  }

  /// Puts a result down. A test that was interrupted says nothing, unless it had come to its end already.
  func finish(_ ticket: Ticket, _ result: UnitTestResult) {
    state.withLock { state in
      state.running[ticket.index] = nil
      if case .failed = result.verdict, state.isClosed { return }
      state.results[ticket.index] = result
      state.fresh.append(ticket.index)
    }
  }

  /// Lets no more tests begin, and ends those that go on.
  func close() {
    let machines = state.withLock { state in
      state.isClosed = true
      return state.running.values.compactMap { $0 }
    }
    for machine in machines { machine.end(.stopped) }
  }

  /// The names of the tests that go on, the oldest first.
  var running: [String] { state.withLock { $0.running.keys.sorted().map { plans[$0].test.name } } }

  /// Whether nothing waits and nothing goes on.
  var isIdle: Bool {
    state.withLock { $0.running.isEmpty && ($0.isClosed || $0.next == plans.count) }
  }

  var results: [UnitTestResult?] { state.withLock { $0.results } }

  /// The results that came since the last call.
  func collect() -> [UnitTestResult] {
    state.withLock { state in
      defer { state.fresh = [] }
      return state.fresh.compactMap { state.results[$0] }
    }
  }

  /// Waits until a result is there, at most that long: results come seldom, and to look is cheap.
  func wait(atMost limit: Duration) {
    let deadline = ContinuousClock.now + limit
    while ContinuousClock.now < deadline, state.withLock({ $0.fresh.isEmpty }) { usleep(500) }
  }
}
