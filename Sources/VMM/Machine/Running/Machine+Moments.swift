import GuestContract
public import KVM
import Synchronization

extension Machine {
  /// Has something done once when the guest comes to an exit or a mark, counted from this call on.
  ///
  /// - Parameters:
  ///   - moment: when; one that is a time never comes here.
  ///   - body: called on the thread of the vCPU that came there, before it enters the guest again, while no other vCPU is told
  ///     of a moment. It must not wait for a vCPU, and expect no other moment.
  /// - Returns: what to let go of (`forget`), whether the guest has come there or not.
  public func expect(_ moment: GuestMoment, _ body: @escaping @Sendable () -> Void) -> ExpectedMoment {
    lookOut(for: moment)
    return ExpectedMoment(id: moments.expect(moment, body), moment: moment)
  }

  /// Lets go of a moment, once. When it returns, nothing of it is done any more.
  ///
  /// - Returns: whether the guest had not come there.
  @discardableResult
  public func forget(_ expected: ExpectedMoment) -> Bool {
    defer { lookNoLonger(for: expected.moment) }
    return moments.forget(expected.id)
  }

  /// Has something done when this machine is started.
  ///
  /// - Parameter body: called with that moment, on the thread that starts it.
  public func atStart(_ body: @escaping @Sendable (ContinuousClock.Instant) -> Void) { moments.atStart(body) }

  /// Has something done once with a vCPU before it enters the guest next, where it is taken out for it, and does not wait.
  ///
  /// - Parameters:
  ///   - index: the vCPU's.
  ///   - body: runs on the vCPU's thread, or on this one where the machine does not run.
  public func beforeNextEntry(_ index: Int, _ body: @escaping @Sendable (VCPU) -> Void) {
    inboxes[index].post(on: vcpus[index], body)
  }

  /// Has the guest tell of its marks while one is waited for; otherwise it only writes them down, without an exit.
  private func lookOut(for moment: GuestMoment) {
    guard case .label(let label) = moment else { return }
    progress.awaitMark(label)
    setTellsMarks(true)
  }

  /// Takes that back.
  private func lookNoLonger(for moment: GuestMoment) {
    guard case .label(let label) = moment else { return }
    if !progress.forgetMark(label) { setTellsMarks(false) }
  }

  private func setTellsMarks(_ tells: Bool) {
    let page = layout.bootPage
    // A guest that was given no boot page has no marks, and something of its own in that place.
    guard memory.hasBootPage(at: page) else { return }
    try? memory.store(tells ? 1 : 0 as UInt32, at: page + UInt64(LAPWING_BOOT_TELLS_MARKS))
  }
}

/// A moment that a machine's guest is expected to come to.
public struct ExpectedMoment: Hashable, Sendable {
  let id: MomentWatch.ID
  let moment: GuestMoment
}

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
