import CEvidence
import Glibc
import Support
import Synchronization
public import SystemPackage

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

  /// Finds tracefs now, or mounts it for this process alone, so that pools use it later on: the process may give up the right
  /// to mount meanwhile.
  ///
  /// - Returns: The folder in which instances are made; nil where nothing can be recorded, which `lend` says why of.
  public static func open() -> FilePath? { TraceFileSystem.keep()?.root.appending("instances") }

  /// Lends an instance, to be given back.
  ///
  /// - Throws: `TraceUnavailable`, the same reason every time.
  public func lend() throws(TraceUnavailable) -> TraceInstance {
    if let reason = state.withLock({ $0.reason }) { throw reason }
    let thread = cevidence_thread_id()
    let free = state.withLock { state -> TraceInstance? in
      // One that has recorded another thread has its filter replaced, for which the kernel waits a tenth of a second and more.
      guard let place = state.free.lastIndex(where: { $0.records(thread: thread) }) ?? state.free.indices.last else {
        return nil
      }
      return state.free.remove(at: place)
    }
    if let free { return free }
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

/// The directory of a trace instance, which says to others that its process lives.
///
/// It is locked as long as this value lives (flock(2)), and the kernel lets go of the lock however the process ends. A
/// process id would not do: in another PID namespace it is that of somebody else, or of nobody.
struct TraceInstanceFolder: ~Copyable, Sendable {
  /// Where it is.
  let path: FilePath
  private let lock: FileDescriptor

  private static let prefix = "lapwing-"

  /// How often a name is tried: whoever looks for what was left behind may hold the lock, or have removed a directory that
  /// was not locked yet.
  private static let tries = 100

  /// Makes an instance under a name that nobody has.
  ///
  /// - Parameter instances: the folder of all instances.
  init(in instances: FilePath) throws(TraceUnavailable) {
    for _ in 0..<Self.tries {
      let path = instances.appending(Self.prefix + String(UInt64.random(in: .min ... .max), radix: 36))
      do throws(Errno) {
        try TextFile.makeDirectory(path)
        guard let lock = try Self.lock(path) else { continue }
        guard TextFile.obstacle(path, F_OK) == nil else {
          try? lock.close()
          continue
        }
        (self.path, self.lock) = (path, lock)
        return
      } catch .noSuchFileOrDirectory where TextFile.obstacle(instances, F_OK) == nil {
        continue
      } catch {
        throw TraceUnavailable("\(path) cannot be made", error)
      }
    }
    throw TraceUnavailable("\(instances) has no room for another instance")
  }

  deinit { try? lock.close() }

  /// Locks a directory; nil where somebody else has it locked.
  private static func lock(_ path: FilePath) throws(Errno) -> FileDescriptor? {
    let directory = try TextFile.call {
      try FileDescriptor.open(path, .readOnly, options: [.directory, .noFollow, .closeOnExec])
    }
    let answer = cevidence_try_lock(directory.rawValue)
    if answer == 0 { return directory }
    try? directory.close()
    guard Errno(rawValue: -answer) == .wouldBlock else { throw Errno(rawValue: -answer) }
    return nil
  }

  /// Removes the instances that nobody has locked. What another program has open all the same, the kernel does not let go
  /// (EBUSY).
  static func removeStale(in instances: FilePath) {
    for name in HostFile.names(in: instances) where name.hasPrefix(prefix) {
      let path = instances.appending(name)
      guard let lock = try? lock(path) else { continue }
      try? TextFile.removeDirectory(path)
      try? lock.close()
    }
  }
}
