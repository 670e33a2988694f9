import KVM

extension PITState {
  /// What makes a PIT go on.
  ///
  /// Counters 1 and 2 count from a moment of the host's monotonic clock, which is moved by the time that has passed since.
  /// Counter 0 begins anew: KVM neither tells how far it has come, nor whether a count that runs once is over (kernel,
  /// `pit_load_count`, which keeps no load time for it), and has no way to begin in the middle. So a tick comes late and
  /// never early, none that was to come is lost, and a count that runs once and was over interrupts once more.
  ///
  /// - Parameters:
  ///   - moment: when the state was taken, on the monotonic clock of the host that took it.
  ///   - now: the same clock of this host.
  func resumed(at moment: UInt64, now: UInt64) -> PITState {
    var state = self
    state.channel1.move(from: moment, to: now)
    state.channel2.move(from: moment, to: now)
    return state
  }
}

extension PITState.Channel {
  fileprivate mutating func move(from moment: UInt64, to now: UInt64) {
    guard count > 0, countLoadTime != 0 else { return }
    countLoadTime &+= Int64(bitPattern: now &- moment)
  }
}
