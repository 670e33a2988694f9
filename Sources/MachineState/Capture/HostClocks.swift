import Glibc

/// The host's clocks.
enum HostClocks {
  /// CLOCK_MONOTONIC in nanoseconds, which KVM's PIT counts in (`ktime_get`).
  static var monotonic: UInt64 { read(CLOCK_MONOTONIC) }

  /// CLOCK_REALTIME: nanoseconds since 1970.
  static var realtime: UInt64 { read(CLOCK_REALTIME) }

  private static func read(_ clock: clockid_t) -> UInt64 {
    var time = timespec()
    // Sound: the call fills the one structure it is given. Both clocks exist on every Linux.
    unsafe clock_gettime(clock, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}
