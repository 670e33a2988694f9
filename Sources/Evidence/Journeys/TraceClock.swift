import KVM

/// Turns the times of a trace, which are cycles of the host's TSC, into the host's time.
struct TraceClock: Hashable, Sendable {
  /// The host's TSC and the host's time at one moment.
  struct Reading: Hashable, Sendable {
    let cycles: UInt64
    let instant: ContinuousClock.Instant

    /// Now: the closest of a few readings, since this thread may be preempted in the middle of one.
    static func now() -> Reading {
      var best: (reading: Reading, width: UInt64)?
      for _ in 0..<4 {
        let before = hostTSC()
        let instant = ContinuousClock.now
        let width = hostTSC() &- before
        if width < best?.width ?? .max { best = (Reading(cycles: before &+ width / 2, instant: instant), width) }
      }
      return best?.reading ?? Reading(cycles: hostTSC(), instant: .now)
    }
  }

  private let start: Reading
  private let cyclesPerNanosecond: Double

  /// A clock through two readings; the further apart they are, the better.
  init(_ start: Reading, _ end: Reading) {
    self.start = start
    let nanoseconds = (end.instant - start.instant) / .nanoseconds(1)
    cyclesPerNanosecond = nanoseconds > 0 ? Double(end.cycles &- start.cycles) / nanoseconds : 1
  }

  /// How many cycles a length of time has.
  func cycles(in time: Duration) -> UInt64 { UInt64(max(0, time / .nanoseconds(1) * cyclesPerNanosecond)) }

  /// When the host's TSC showed that.
  func instant(_ cycles: UInt64) -> ContinuousClock.Instant {
    // A trace is hours from the readings at most, which an Int64 holds many times.
    let distance = Double(Int64(bitPattern: cycles &- start.cycles)) / max(cyclesPerNanosecond, 1e-3)
    return start.instant + .nanoseconds(Int64(min(max(distance, -1e18), 1e18)))
  }
}
