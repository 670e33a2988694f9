import KVM
import Synchronization

/// Where the vCPUs of a machine wait while it is paused.
final class PauseGate: Sendable {
  private struct State {
    /// How many have asked for the pause.
    var holders = 0
    /// Those that wait although nobody has asked for a pause: a debugger lets the others go on alone.
    var kept: Set<Int> = []
    var parked: Set<Int> = []
    var since: ContinuousClock.Instant?
  }

  private let state = Mutex(State())
  private let isClosedFlag = Atomic<Bool>(false)
  /// Signalled whenever a vCPU has come to wait.
  private let arrivals: EventDescriptor

  init() throws(KVMError) {
    arrivals = try EventDescriptor()
  }

  /// Whether vCPUs are to wait; cheap enough for every exit.
  var isClosed: Bool { isClosedFlag.load(ordering: .acquiring) }

  /// Asks for a pause.
  func close() {
    state.withLock { state in
      state.holders += 1
      if state.holders == 1 { state.since = .now }
      isClosedFlag.store(true, ordering: .releasing)
    }
  }

  /// Wakes who waits for arrivals, though there is none.
  func callAttention() {
    // The counter is far from full, and whoever waits looks again anyway.
    try? arrivals.write(1)
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
    callAttention()
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
