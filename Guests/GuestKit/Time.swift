import GuestContract
import GuestMachine

/// A length of time, in the host's nanoseconds.
public struct Interval: Sendable {
  /// How long.
  public var nanoseconds: UInt64

  /// That many millionths of a second.
  public static func microseconds(_ count: UInt64) -> Interval { Interval(nanoseconds: count &* 1000) }
  /// That many thousandths of a second.
  public static func milliseconds(_ count: UInt64) -> Interval { Interval(nanoseconds: count &* 1_000_000) }
  /// That many seconds.
  public static func seconds(_ count: UInt64) -> Interval { Interval(nanoseconds: count &* 1_000_000_000) }

  /// The same in cycles of the TSC; right for anything under an hour.
  public var ticks: UInt64 { (nanoseconds / 1000) &* UInt64(bootPage.pointee.tscKHz) / 1000 }

  /// The same in cycles of the local APIC's bus, at most what the initial count holds.
  public var apicCycles: UInt32 {
    UInt32(clamping: nanoseconds / UInt64(max(bootPage.pointee.apicCycleNanoseconds, 1)))
  }
}

/// The time-stamp counter.
public var timestamp: UInt64 { tsc_read() }

/// Spins until `condition` holds, for at most `limit`; says whether it held. Bounded in time, never in iterations,
/// because no one knows how fast a guest's instruction is.
@discardableResult
public func wait(within limit: Interval, until condition: () -> Bool) -> Bool {
  let deadline = tsc_read() &+ limit.ticks
  while !condition() {
    if tsc_read() >= deadline { return condition() }
    cpu_pause()
  }
  return true
}

/// Spins for `interval`.
public func pause(for interval: Interval) {
  wait(within: interval) { false }
}
