import Synchronization

/// Tells of moments to which the guest comes, on the thread of the vCPU that came there, before it goes on.
///
/// Moments are told of one after the other, in the order of the exits that they come with; those of one exit in the order in
/// which they were expected.
final class MomentWatch: Sendable {
  private struct Expected {
    let moment: GuestMoment
    let body: @Sendable () -> Void
  }

  private struct State {
    var expected: [Expected] = []
    /// Those that have come.
    var reached: [GuestMoment] = []
    var atStart: [@Sendable (ContinuousClock.Instant) -> Void] = []
    var exits: UInt64 = 0
  }

  private let state = Mutex(State())
  private let isArmedFlag = Atomic<Bool>(false)

  /// Whether vCPUs are to count their exits; cheap enough for every one.
  var isArmed: Bool { isArmedFlag.load(ordering: .acquiring) }

  /// Has `body` called once, when the guest comes to a moment that is no time.
  func expect(_ moment: GuestMoment, _ body: @escaping @Sendable () -> Void) {
    state.withLock { state in
      state.expected.append(Expected(moment: moment, body: body))
      isArmedFlag.store(true, ordering: .releasing)
    }
  }

  /// Has `body` called with the moment when the machine is started.
  func atStart(_ body: @escaping @Sendable (ContinuousClock.Instant) -> Void) {
    state.withLock { $0.atStart.append(body) }
  }

  /// Lets go of all that is expected.
  ///
  /// - Returns: the moments that were expected, be they there or not.
  func forgetAll() -> [GuestMoment] {
    state.withLock { state in
      isArmedFlag.store(false, ordering: .releasing)
      defer { (state.expected, state.reached, state.atStart) = ([], [], []) }
      return state.reached + state.expected.map(\.moment)
    }
  }

  /// The machine is started: its vCPUs are about to enter the guest.
  func start(_ moment: ContinuousClock.Instant) {
    for body in state.withLock({ $0.atStart }) { body(moment) }
  }

  /// On a vCPU's thread, after an exit: tells of the moments that came with it.
  ///
  /// The lock is held meanwhile, so that no exit of another vCPU gets ahead of this one.
  func count(_ progress: GuestProgress) {
    state.withLock { state in
      state.exits += 1
      let exits = state.exits
      let reached = state.expected.filter { $0.moment.isReached(exits: exits, progress) }
      guard !reached.isEmpty else { return }
      state.expected.removeAll { $0.moment.isReached(exits: exits, progress) }
      if state.expected.isEmpty { isArmedFlag.store(false, ordering: .releasing) }
      state.reached += reached.map(\.moment)
      for item in reached { item.body() }
    }
  }
}
