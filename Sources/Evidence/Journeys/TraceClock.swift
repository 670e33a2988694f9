import Glibc

/// Turns the times of a trace, which are cycles of the host's TSC, into the host's time.
package struct TraceClock: Sendable {
  /// The host's time, with the host's TSC.
  package typealias Reading = TSCReading<ContinuousClock.Instant>

  private let start: Reading
  private let cyclesPerNanosecond: Double

  /// A reading of now.
  package static func now() -> Reading { .closest { ContinuousClock.now } }

  /// A reading some time after an earlier one: waits where that is not over yet.
  package static func later(than earlier: Reading, by time: Duration) -> Reading {
    let rest = earlier.value + time - ContinuousClock.now
    if rest > .zero { usleep(UInt32(min(rest / .microseconds(1), 1e6))) }
    return now()
  }

  /// A clock through two readings; the further apart they are, the better.
  package init(_ start: Reading, _ end: Reading) {
    self.start = start
    let nanoseconds = (end.value - start.value) / .nanoseconds(1)
    cyclesPerNanosecond = nanoseconds > 0 ? Double(end.cycles &- start.cycles) / nanoseconds : 1
  }

  /// How many cycles a length of time has.
  package func cycles(in time: Duration) -> UInt64 { UInt64(max(0, time / .nanoseconds(1) * cyclesPerNanosecond)) }

  /// When the host's TSC showed that: nanoseconds since the first reading.
  package func nanoseconds(_ cycles: UInt64) -> Int64 {
    // A trace is hours from the readings at most, which an Int64 holds many times.
    let distance = Double(Int64(bitPattern: cycles &- start.cycles)) / max(cyclesPerNanosecond, 1e-3)
    return Int64(min(max(distance, -1e18), 1e18))
  }
}
