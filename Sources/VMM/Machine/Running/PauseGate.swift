import KVM
import Synchronization

/// Where the vCPUs of a machine wait while it is paused.
final class PauseGate: Sendable {
  /// Where to stop, and how many exits have been counted on the way.
  private struct Trigger {
    var moment: GuestMoment
    var exits: UInt64 = 0
  }

  /// The moment that a vCPU is to ask for a pause at.
  private enum Awaited {
    case none
    case armed(Trigger)
    /// The guest has come there, and the pause was asked for.
    case reached
  }

  private struct State {
    var awaited = Awaited.none
    /// How many have asked for the pause.
    var holders = 0
    /// Those that wait although nobody has asked for a pause: a debugger lets the others go on alone.
    var kept: Set<Int> = []
    var parked: Set<Int> = []
    var since: ContinuousClock.Instant?
  }

  private let state = Mutex(State())
  private let isClosedFlag = Atomic<Bool>(false)
  private let isArmedFlag = Atomic<Bool>(false)
  /// Signalled whenever a vCPU has come to wait.
  private let arrivals: EventDescriptor

  init() throws(KVMError) {
    arrivals = try EventDescriptor()
  }

  /// Whether vCPUs are to wait; cheap enough for every exit.
  var isClosed: Bool { isClosedFlag.load(ordering: .acquiring) }

  /// Whether vCPUs are to count their exits.
  var isArmed: Bool { isArmedFlag.load(ordering: .acquiring) }

  /// Whether `arm` was called, and `disarm` not yet, be the moment there or not.
  var isAwaitingMoment: Bool {
    state.withLock { if case .none = $0.awaited { false } else { true } }
  }

  /// Has a vCPU ask for a pause when the guest comes to a moment.
  func arm(_ moment: GuestMoment) {
    // A time is the waiting thread's to watch.
    if case .time = moment { return }
    state.withLock { state in
      state.awaited = .armed(Trigger(moment: moment))
      isArmedFlag.store(true, ordering: .releasing)
    }
  }

  /// Takes that back.
  ///
  /// - Returns: whether it came too late: a pause was asked for.
  func disarm() -> Bool {
    state.withLock { state in
      isArmedFlag.store(false, ordering: .releasing)
      defer { state.awaited = .none }
      return if case .reached = state.awaited { true } else { false }
    }
  }

  /// On a vCPU's thread, after an exit: asks for the pause if this is the moment.
  func count(_ progress: GuestProgress) {
    let isReached = state.withLock { state in
      guard case .armed(var trigger) = state.awaited else { return false }
      trigger.exits += 1
      guard trigger.moment.isReached(exits: trigger.exits, progress) else {
        state.awaited = .armed(trigger)
        return false
      }
      state.awaited = .reached
      close(&state)
      isArmedFlag.store(false, ordering: .releasing)
      return true
    }
    guard isReached else { return }
    // The counter is far from full.
    try? arrivals.write(1)
  }

  /// Asks for a pause.
  func close() { state.withLock { close(&$0) } }

  private func close(_ state: inout State) {
    state.holders += 1
    if state.holders == 1 { state.since = .now }
    isClosedFlag.store(true, ordering: .releasing)
  }

  /// Takes a request back.
  ///
  /// - Returns: how long the pause was, if nobody else still wants it.
  func open() -> Duration? {
    state.withLock { state in
      guard state.holders > 0 else { return nil }
      state.holders -= 1
      guard state.holders == 0, let since = state.since else { return nil }
      state.since = nil
      isClosedFlag.store(!state.kept.isEmpty, ordering: .releasing)
      return .now - since
    }
  }

  /// Chooses whom the gate keeps out while nobody wants a pause: these, until the next call.
  func keep(_ indices: Set<Int>) {
    state.withLock { state in
      state.kept = indices
      isClosedFlag.store(state.holders > 0 || !indices.isEmpty, ordering: .releasing)
    }
  }

  /// Whether a vCPU is to wait.
  func keepsOut(_ index: Int) -> Bool {
    isClosed && state.withLock { $0.holders > 0 || $0.kept.contains(index) }
  }

  /// On the thread of a vCPU that is out of the guest with nothing left to complete.
  func arrive(_ index: Int) {
    state.withLock { _ = $0.parked.insert(index) }
    // The counter is far from full, and whoever waits looks again anyway.
    try? arrivals.write(1)
  }

  /// On the same thread, before it enters the guest again.
  ///
  /// - Returns: whether it may; else it waits on, as a new pause counts on it.
  func leave(_ index: Int, isStopped: Bool) -> Bool {
    state.withLock { state in
      guard state.holders == 0 && !state.kept.contains(index) || isStopped else { return false }
      state.parked.remove(index)
      return true
    }
  }

  /// The vCPUs that have not arrived, of those given.
  func missing(of indices: Range<Int>) -> [Int] {
    state.withLock { state in indices.filter { !state.parked.contains($0) } }
  }

  /// Waits for the next arrival, at most for `limit`.
  func wait(atMost limit: Duration) {
    if arrivals.wait(atMost: limit) { _ = try? arrivals.read() }
  }
}
