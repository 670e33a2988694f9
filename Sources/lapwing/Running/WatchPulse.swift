import Support
import SystemPackage

/// How often what was recorded is looked at, while it is waited for a moment, a signal or a key.
struct WatchPulse {
  private let wakeup: Wakeup
  private let descriptor: Int32?
  /// Often enough for the kernel's buffers, seldom enough to be nobody's load.
  private static let period = Duration.milliseconds(25)

  init(_ signals: InterruptSignals) throws(Failure) {
    do throws(Errno) {
      wakeup = try Wakeup()
    } catch {
      throw Failure("watching needs a descriptor: \(error)", .hostCannot)
    }
    descriptor = signals.descriptor
  }

  /// Waits for the next look: until a moment at the longest.
  func wait(until end: ContinuousClock.Instant) {
    wakeup.wait(until: min(end, .now + Self.period), or: descriptor)
  }
}
