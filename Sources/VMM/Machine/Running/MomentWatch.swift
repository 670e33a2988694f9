import Synchronization

/// Tells of moments to which the guest comes, on the thread of the vCPU that came there, before it goes on.
///
/// Moments are told of one after the other, in the order of the exits that they come with; those of one exit in the order in
/// which they were expected.
final class MomentWatch: Sendable {
  /// Which of the moments that are expected.
  typealias ID = UInt64

  private struct Expected {
    let id: ID
    let moment: GuestMoment
    let body: @Sendable () -> Void
    /// How many exits there were since it is expected.
    var exits: UInt64 = 0
  }

  private struct State {
    var expected: [Expected] = []
    var nextID: ID = 0
    var atStart: [@Sendable (ContinuousClock.Instant) -> Void] = []
  }

  private let state = Mutex(State())
  private let isArmedFlag = Atomic<Bool>(false)

  /// Whether vCPUs are to count their exits; cheap enough for every one.
  var isArmed: Bool { isArmedFlag.load(ordering: .acquiring) }

  /// Has `body` called once, when the guest comes to a moment that is no time.
  func expect(_ moment: GuestMoment, _ body: @escaping @Sendable () -> Void) -> ID {
    state.withLock { state in
      state.nextID += 1
      state.expected.append(Expected(id: state.nextID, moment: moment, body: body))
      isArmedFlag.store(true, ordering: .releasing)
      return state.nextID
    }
  }

  /// Whether the guest has not come to a moment yet.
  func isExpected(_ id: ID) -> Bool { state.withLock { $0.expected.contains { $0.id == id } } }

  /// Lets go of a moment. When it returns, nothing of it is done any more.
  ///
  /// - Returns: whether the guest had not come there.
  func forget(_ id: ID) -> Bool {
    state.withLock { state in
      let count = state.expected.count
      state.expected.removeAll { $0.id == id }
      if state.expected.isEmpty { isArmedFlag.store(false, ordering: .releasing) }
      return state.expected.count < count
    }
  }

  /// Has `body` called with the moment when the machine is started.
  func atStart(_ body: @escaping @Sendable (ContinuousClock.Instant) -> Void) {
    state.withLock { $0.atStart.append(body) }
  }

  /// The machine is started: its vCPUs are about to enter the guest.
  func start(_ moment: ContinuousClock.Instant) {
    let bodies = state.withLock { state in
      defer { state.atStart = [] }
      return state.atStart
    }
    for body in bodies { body(moment) }
  }

  /// On a vCPU's thread, after an exit: tells of the moments that came with it.
  ///
  /// The lock is held meanwhile, so that no exit of another vCPU gets ahead of this one.
  func count(_ progress: GuestProgress) {
    state.withLock { state in
      for index in state.expected.indices { state.expected[index].exits += 1 }
      let reached = state.expected.filter { $0.moment.isReached(exits: $0.exits, progress) }
      guard !reached.isEmpty else { return }
      state.expected.removeAll { $0.moment.isReached(exits: $0.exits, progress) }
      if state.expected.isEmpty { isArmedFlag.store(false, ordering: .releasing) }
      for item in reached { item.body() }
    }
  }
}
