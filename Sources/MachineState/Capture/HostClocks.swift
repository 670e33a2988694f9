import Glibc

/// The host's clocks.
enum HostClocks {
  /// CLOCK_MONOTONIC in nanoseconds, which KVM's PIT counts in (`ktime_get`).
  static var monotonic: UInt64 { read(CLOCK_MONOTONIC) }

  /// CLOCK_REALTIME: nanoseconds since 1970.
  static var realtime: UInt64 { read(CLOCK_REALTIME) }

  /// Waits for a moment of CLOCK_MONOTONIC; not at all where it has passed.
  static func sleep(until moment: UInt64) {
    while true {
      let now = monotonic
      guard now < moment else { return }
      var left = timespec()
      left.tv_sec = Int((moment - now) / 1_000_000_000)
      left.tv_nsec = Int((moment - now) % 1_000_000_000)
      // Sound: the call reads the one structure. A signal ends it early, and it is looked at the clock again.
      unsafe nanosleep(&left, nil)
    }
  }

  private static func read(_ clock: clockid_t) -> UInt64 {
    var time = timespec()
    // Sound: the call fills the one structure it is given. Both clocks exist on every Linux.
    unsafe clock_gettime(clock, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}
