import GuestContract
public import KVM

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
