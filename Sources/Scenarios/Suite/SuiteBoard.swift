import Synchronization

/// What the suite's threads share: the runs that wait, that go on, and that have ended.
final class SuiteBoard: Sendable {
  /// A run that goes on.
  struct Ticket: Sendable {
    let number: Int
    let item: SuiteItem
    let control = CaseControl()
    let start = ContinuousClock.now
  }

  private struct State {
    var waiting: ArraySlice<SuiteItem>
    var running: [Int: Ticket] = [:]
    var ended: [SuiteRun] = []
    var nextNumber = 0
  }

  private let state: Mutex<State>

  init(_ items: [SuiteItem]) {
    state = Mutex(State(waiting: items[...]))
  }

  /// Takes the next run; nil where none is left.
  func take() -> Ticket? {
    state.withLock { state in
      guard let item = state.waiting.popFirst() else { return nil }
      let ticket = Ticket(number: state.nextNumber, item: item)
      state.nextNumber += 1
      state.running[ticket.number] = ticket
      return ticket
    }
  }

  /// Puts a result down, unless the run was given up meanwhile; says whether it was not.
  ///
  /// What became of a run that was interrupted says nothing about its case, unless it had passed already.
  func finish(_ ticket: Ticket, _ result: ScenarioResult) -> Bool {
    state.withLock { state in
      guard state.running.removeValue(forKey: ticket.number) != nil else { return false }
      if case .failed = result.verdict, ticket.control.reason == .interrupted { return true }
      state.ended.append(SuiteRun(item: ticket.item, result: result))
      return true
    }
  }

  /// Gives a run up whose thread does not come back. Its result is `result`; nil for none.
  func abandon(_ ticket: Ticket, _ result: ScenarioResult?) {
    state.withLock { state in
      guard state.running.removeValue(forKey: ticket.number) != nil else { return }
      if let result { state.ended.append(SuiteRun(item: ticket.item, result: result)) }
    }
  }

  /// Lets no more runs begin.
  func close() { state.withLock { $0.waiting = [] } }

  /// The runs that go on, the oldest first.
  var running: [Ticket] { state.withLock { $0.running.values.sorted { $0.number < $1.number } } }

  /// Whether nothing waits and nothing goes on.
  var isIdle: Bool { state.withLock { $0.waiting.isEmpty && $0.running.isEmpty } }

  /// The runs that have ended since the last call.
  func collect() -> [SuiteRun] {
    state.withLock { state in
      defer { state.ended = [] }
      return state.ended
    }
  }
}
