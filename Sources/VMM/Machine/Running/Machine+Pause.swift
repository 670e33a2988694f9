public import KVM
import Synchronization

extension Machine {
  /// How often a vCPU that is asked out of the guest is asked again.
  private static let patience = Duration.milliseconds(2)

  /// Takes all vCPUs out of the guest at once and has them wait, with no access to a device half done, so that their
  /// state can be read and written. Pauses nest: each needs its `resume`.
  ///
  /// On a machine that does not run there is nothing to wait for; if it is started, its vCPUs do not enter the guest before
  /// `resume`. On one that is stopped meanwhile the pause waits until all vCPUs have left for good: their state can be read
  /// too, and `resume` lets nothing go on.
  ///
  /// - Parameter limit: how long the vCPUs have to come out, all together.
  /// - Throws: `MachineError.pause` where one does not come; the machine then goes on.
  public func pause(within limit: Duration = .seconds(30)) throws(MachineError) {
    gate.close()
    try awaitParked(limit)
  }

  /// Pauses the guest when it comes to a moment.
  ///
  /// - Parameters:
  ///   - moment: after which exit, mark or time; right after it, but for the vCPUs that are in the guest meanwhile.
  ///   - limit: how long the guest may take to get there.
  ///   - tick: called on this thread every few milliseconds while an exit or a mark is waited for.
  /// - Returns: whether it came there. If not, it is not paused: it has ended, or the time is up.
  /// - Throws: `MachineError.pause` where a vCPU does not come out.
  public func pause(
    at moment: GuestMoment, within limit: Duration, tick: () -> Void = {}
  ) throws(MachineError) -> Bool {
    if case .time(let time) = moment {
      let start = times.started ?? .now
      let left = min(start + time - .now, limit)
      if left > .zero, stop.wait(atMost: left) { return false }
      guard time <= limit, stop.reason == nil else { return false }
      try pause()
      if stop.reason == nil { return true }
      resume()
      return false
    }
    let deadline = ContinuousClock.now + limit
    // `start` may have expected it already, and the guest have come there since.
    let pause = pauseToCome.withLock { pause in
      defer { pause = nil }
      return pause
    }
    let expected = pause ?? expectPause(at: moment)
    while moments.isExpected(expected.id), !stop.isStopped, ContinuousClock.now < deadline {
      gate.wait(atMost: .milliseconds(10))
      tick()
    }
    if forget(expected) { return false }
    try awaitParked(.seconds(30))
    return true
  }

  /// Has the vCPU that comes to a moment ask for the pause.
  func expectPause(at moment: GuestMoment) -> ExpectedMoment {
    expect(moment) { [gate] in
      gate.close()
      gate.callAttention()
    }
  }

  private func awaitParked(_ limit: Duration) throws(MachineError) {
    let deadline = ContinuousClock.now + limit
    if let missing = missingVCPU(within: limit) {
      resume()
      throw .pause(vcpu: missing)
    }
    virtio.wake()
    while let missing = virtio.missing(gate) {
      guard ContinuousClock.now < deadline else {
        resume()
        throw .pauseOfDevice(missing)
      }
      gate.wait(atMost: Self.patience)
    }
  }

  /// Waits until all vCPUs wait at the gate, which has been closed.
  ///
  /// - Returns: nil, or where the time is up one that has not come.
  func missingVCPU(within limit: Duration) -> Int? {
    let deadline = ContinuousClock.now + limit
    // All are told first, so that they come out at the same time.
    for inbox in inboxes { inbox.wake() }
    while true {
      // One that is attached may be in the guest, even where the machine was stopped: nobody has told it.
      let missing = gate.missing(of: vcpus.indices).filter { inboxes[$0].isAttached }
      guard let first = missing.first else { return nil }
      guard ContinuousClock.now < deadline else { return first }
      gate.wait(atMost: Self.patience)
      // A signal can come just before the thread enters a system call other than KVM_RUN.
      for index in missing { inboxes[index].wake() }
    }
  }

  /// Lets the vCPUs go on.
  ///
  /// - Returns: how long the guest stood still, from the first request on; nil while another pause holds it.
  @discardableResult
  public func resume() -> Duration? {
    let length = gate.open()
    if length != nil {
      for inbox in inboxes { inbox.endWait() }
      virtio.wake()
    }
    return length
  }

  /// Has something done while all vCPUs are out of the guest.
  ///
  /// - Returns: what `body` returns, and how long the guest stood still; nil while another pause holds it.
  /// - Throws: `MachineError.pause`, or what `body` throws.
  public func whilePaused<Value, Failure: Error>(
    _ body: () throws(Failure) -> Value, orThrow wrap: (MachineError) -> Failure
  ) throws(Failure) -> (value: Value, pause: Duration?) {
    do throws(MachineError) {
      try pause()
    } catch {
      throw wrap(error)
    }
    do throws(Failure) {
      let value = try body()
      return (value, resume())
    } catch {
      resume()
      throw error
    }
  }

  /// On a vCPU that waits: has KVM finish what it has half done, so that a read of its state misses nothing.
  ///
  /// A pause does that once. A timer that expires during the pause makes it necessary again.
  ///
  /// - Throws: `KVMError` where KVM cannot go on with the vCPU.
  public func completePendingWork(_ index: Int) throws(KVMError) {
    let runner = runner(index)
    try withVCPUStopped(index) { _ throws(KVMError) in try runner.completePendingWork() }
  }

  /// What runs a vCPU, on whichever thread calls it.
  func runner(_ index: Int) -> VCPURunner {
    VCPURunner(
      index: index, vcpu: vcpus[index], ports: ports, addresses: addresses, interrupts: interrupts, stop: stop,
      hooks: hooks, hyperV: hyperV, inbox: inboxes[index], gate: gate, debug: debug, moments: moments,
      progress: progress, memory: memory)
  }
}

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
