import APIC
import KVM

extension PITState {
  /// How long a tick may take from the kernel's timer to the chips: it goes through a kernel thread.
  private static let latency: UInt64 = 500_000

  /// Whether counter 0 may have interrupted between two moments of the host's monotonic clock, so that chips read in
  /// between may have, or lack, a tick that this has still to come.
  func mayHaveTicked(from start: UInt64, to end: UInt64) -> Bool {
    guard let period = channel0.period else { return false }
    let margin = min(Self.latency, period / 4)
    return ticks(before: end) != ticks(before: start - min(start, margin))
  }

  private func ticks(before moment: UInt64) -> UInt64 {
    guard let period = channel0.period, let load = UInt64(exactly: channel0.countLoadTime), moment > load else {
      return 0
    }
    let count = (moment - load) / period
    return channel0.isPeriodic ? count : min(count, 1)
  }
}

extension PITState.Channel {
  /// Modes 2 and 3 (8254 data sheet, "Mode definitions").
  var isPeriodic: Bool { mode == 2 || mode == 3 }

  /// How long its count takes in nanoseconds; nil for a channel that counts nothing.
  var period: UInt64? {
    count > 0 && mode <= 4 ? max(UInt64(count) * 1_000_000_000 / UInt64(PIT.frequency), 1) : nil
  }

  /// How much of its count is left at a moment of the host's monotonic clock, in ticks of the PIT; nil once a channel that
  /// counts once has come to its end.
  func remaining(at moment: UInt64) -> UInt32? {
    let elapsed = UInt64(exactly: countLoadTime).map { moment > $0 ? moment - $0 : 0 } ?? 0
    // A century of ticks does not overflow: 2^64 / 1193182 ns are four hours, so divide first.
    let ticks =
      elapsed / 1_000_000_000 * UInt64(PIT.frequency)
      + elapsed % 1_000_000_000 * UInt64(PIT.frequency) / 1_000_000_000
    guard count > 0 else { return nil }
    if isPeriodic { return count - UInt32(ticks % UInt64(count)) }
    return ticks < UInt64(count) ? count - UInt32(ticks) : nil
  }
}
