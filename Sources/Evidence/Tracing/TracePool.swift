import Synchronization

/// Lends trace instances to the threads that run machines: to each one at a time, and each is used again, since making
/// one takes the kernel a tenth of a second.
public final class TracePool: Sendable {
  private struct State {
    var free: [TraceInstance] = []
    var reason: TraceUnavailable?
    var isClosed = false
  }

  private let paths: TracePaths
  private let room: TraceConfiguration.Room
  private let state = Mutex(State())

  /// A pool without instances.
  ///
  /// - Parameters:
  ///   - paths: where tracefs is looked for.
  ///   - forRuns: whether its instances have room for guests that run on their own, which nobody looks at all the time; else
  ///     for scenarios, whose interrupts are few.
  public init(_ paths: TracePaths = TracePaths(), forRuns: Bool = false) {
    self.paths = paths
    room = forRuns ? .run : .scenario
  }

  /// Lends an instance, to be given back.
  ///
  /// - Throws: `TraceUnavailable`, the same reason every time.
  public func lend() throws(TraceUnavailable) -> TraceInstance {
    if let reason = state.withLock({ $0.reason }) { throw reason }
    if let instance = state.withLock({ $0.free.popLast() }) { return instance }
    do throws(TraceUnavailable) {
      return try TraceInstance(paths, room)
    } catch {
      state.withLock { $0.reason = error }
      throw error
    }
  }

  /// Takes an instance back.
  public func giveBack(_ instance: TraceInstance) {
    let isClosed = state.withLock { state in
      if !state.isClosed { state.free.append(instance) }
      return state.isClosed
    }
    if isClosed { instance.close() }
  }

  /// Removes the instances that nobody has, and others as they come back.
  public func close() {
    let instances = state.withLock { state in
      defer { state.free = [] }
      state.isClosed = true
      return state.free
    }
    for instance in instances { instance.close() }
  }
}
