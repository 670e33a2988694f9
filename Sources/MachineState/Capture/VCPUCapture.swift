import APIC
import KVM
import VMM

/// Takes the state of a vCPU of a machine that is paused.
struct VCPUCapture {
  let machine: Machine
  let index: Int
  let plan: VCPUState.Plan

  /// How often a timer that expires while it is looked at is looked at again. KVM lets none expire more often than every
  /// 200 us (`min_timer_period_us`), far longer than a look takes.
  private static let patience = 32

  /// The state, with every timer interrupt either in the IRR or still to come.
  ///
  /// A timer whose count runs in the local APIC goes on during the pause. If it expires, KVM only counts that, in a place
  /// that no call shows, until the vCPU runs. So such a vCPU completes what is pending, and its state is taken again, until there was no
  /// expiry in between.
  func state() throws(KVMError) -> VCPUState {
    var state = try read()
    for _ in 0..<Self.patience {
      guard state.localAPIC.countsDown else { break }
      let before = state.localAPIC
      let start = ContinuousClock.now
      try machine.completePendingWork(index)
      state = try read()
      guard state.localAPIC.mayHaveExpired(since: before, elapsed: .now - start) else { break }
    }
    try uncoverExpiry(in: &state)
    return state
  }

  /// Finds an expiry that KVM has not noticed, because VT-x's preemption timer counts for it and it looks at that only at
  /// the next entry (`kvm_lapic_expired_hv_timer`), or because the kernel's timer is late. Until then the current count
  /// is 0: a periodic timer never rests at that; a one-shot timer may.
  private func uncoverExpiry(in state: inout VCPUState) throws(KVMError) {
    let timer = state.localAPIC.lvt(.timer)
    guard state.localAPIC.countsDown, state.localAPIC.currentCount == 0 else { return }
    if timer.timerMode == .periodic {
      state.localAPIC.interruptRequest.insert(timer.vector)
    } else if !state.localAPIC.interruptRequest.contains(timer.vector) {
      try machine.noticeTimerExpiry(index)
      state = try read()
    }
  }

  /// KVM_GET_MP_STATE comes first: it takes a pending INIT or SIPI, which changes registers (`kvm_apic_accept_events`).
  private func read() throws(KVMError) -> VCPUState {
    let vcpu = machine.vcpus[index]
    var state = VCPUState()
    state.id = vcpu.id
    state.mpState = try vcpu.mpState()
    try state.read(vcpu, plan)
    try state.readTimer(vcpu, plan)
    return state
  }
}

extension LocalAPICState {
  /// Whether its timer was given a count, in one-shot or periodic mode, and may interrupt.
  fileprivate var countsDown: Bool {
    let timer = lvt(.timer)
    return !timer.isMasked && initialCount != 0 && (timer.timerMode == .oneShot || timer.timerMode == .periodic)
  }

  /// Whether the timer may have expired between an earlier page and this one.
  ///
  /// - Parameter elapsed: the time from before the first to after the second.
  fileprivate func mayHaveExpired(since earlier: LocalAPICState, elapsed: Duration) -> Bool {
    guard lvt(.timer).timerMode == .periodic else { return earlier.currentCount != 0 && currentCount == 0 }
    // A count of the APIC bus is a nanosecond, or longer (KVM_CAP_X86_APIC_BUS_CYCLES_NS).
    let period = Double(initialCount) * Double(divide.divisor)
    return currentCount > earlier.currentCount || elapsed / .nanoseconds(1) >= period
  }
}
