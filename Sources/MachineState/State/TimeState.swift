public import KVM

/// One moment on the clocks that a machine's state counts in.
///
/// Guest time stands still between a capture and a restore: TSC and kvmclock go on from these values, a timer has as much
/// of its time left as it had.
public struct TimeState: Hashable, Sendable {
  /// The host's TSC.
  public var hostTSC: UInt64 = 0
  /// The host's monotonic clock, in nanoseconds, which the PIT's load times count in.
  public var hostMonotonic: UInt64 = 0
  /// kvmclock.
  public var clock = ClockState(nanoseconds: 0)

  /// All clocks at 0.
  public init() {}
}
