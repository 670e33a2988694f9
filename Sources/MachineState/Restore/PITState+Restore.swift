import APIC
import KVM

extension PITState {
  /// What makes a PIT go on: KVM_SET_PIT2 starts every count anew (`kvm_pit_load_count`).
  ///
  /// A count that runs once is given what is left of it, so it ends, and reads, as it would have. One that has ended is
  /// given mode 5, which waits for a trigger that a PC's counter 0 never gets. A periodic count keeps its period, and its
  /// first tick comes after a whole one: KVM has no way to begin in the middle.
  ///
  /// - Parameter moment: when the state was taken, on the monotonic clock of the host that took it.
  func resumed(at moment: UInt64) -> PITState {
    var state = self
    state.channel0.resume(at: moment)
    return state
  }
}

extension PITState.Channel {
  private static let hardwareTriggeredStrobe: UInt8 = 5

  fileprivate mutating func resume(at moment: UInt64) {
    guard period != nil, !isPeriodic else { return }
    if let left = remaining(at: moment) {
      count = left
    } else {
      mode = Self.hardwareTriggeredStrobe
    }
  }
}
