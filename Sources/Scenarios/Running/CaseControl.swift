import Synchronization
import VMM

/// Ends a case from another thread than the one that it runs on.
public final class CaseControl: Sendable {
  /// Why a case was ended.
  public enum Reason: Hashable, Sendable {
    /// It took longer than any case may.
    case overdue
    /// The suite is being ended.
    case interrupted
  }

  private struct State {
    var machine: Machine?
    var ending: (reason: Reason, time: ContinuousClock.Instant)?
  }

  private let state = Mutex(State())

  /// A control of a case that does not run yet.
  public init() {}

  /// Why the case was ended; nil where it was not.
  public var reason: Reason? { ending?.reason }

  /// Why and when it was ended.
  var ending: (reason: Reason, time: ContinuousClock.Instant)? { state.withLock { $0.ending } }

  /// Ends the case: its machine stops, which frees whoever waits for one of its vCPUs, and its scenario fails. The first
  /// reason stands.
  public func end(_ reason: Reason) {
    state.withLock { state in
      if state.ending == nil { state.ending = (reason, .now) }
      state.machine?.end(.timeLimit)
    }
  }

  /// Says which machine to stop; nil once it has ended.
  func attach(_ machine: Machine?) {
    state.withLock { state in
      state.machine = machine
      if state.ending != nil { machine?.end(.timeLimit) }
    }
  }
}
