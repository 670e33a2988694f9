import Synchronization

/// The moments of a run that a person asks for.
public final class RunTimes: Sendable {
  private let moments = Mutex<(started: ContinuousClock.Instant?, ended: ContinuousClock.Instant?)>((nil, nil))

  /// When the vCPUs were first let into the guest; nil before.
  public var started: ContinuousClock.Instant? { moments.withLock { $0.started } }
  /// When all of them had left for good; nil before.
  public var ended: ContinuousClock.Instant? { moments.withLock { $0.ended } }

  func start() { moments.withLock { $0.started = .now } }
  func end() { moments.withLock { $0.ended = .now } }
}
