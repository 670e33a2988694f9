import Synchronization

/// Ends a piece of work from another thread than the one that does it.
public final class WorkControl: Sendable {
  /// Why work was ended.
  public enum Reason: Hashable, Sendable {
    /// It took longer than it may.
    case overdue
    /// All work is being ended.
    case interrupted
  }

  private struct State {
    var stop: (@Sendable () -> Void)?
    var ending: (reason: Reason, time: ContinuousClock.Instant)?
  }

  private let state = Mutex(State())

  /// The control of work that has not begun.
  public init() {}

  /// Why the work was ended; nil where it was not.
  public var reason: Reason? { ending?.reason }

  /// Why and when it was ended.
  public var ending: (reason: Reason, time: ContinuousClock.Instant)? { state.withLock { $0.ending } }

  /// Ends the work. The first reason stands.
  public func end(_ reason: Reason) {
    state.withLock { state in
      if state.ending == nil { state.ending = (reason, .now) }
      state.stop?()
    }
  }

  /// Says what ends the work from now on: it is called while the work goes on, and at once where it has been ended.
  ///
  /// - Parameter stop: What to do, on any thread; nil once there is nothing left to stop.
  public func whenEnded(_ stop: (@Sendable () -> Void)?) {
    state.withLock { state in
      state.stop = stop
      if state.ending != nil { stop?() }
    }
  }
}
