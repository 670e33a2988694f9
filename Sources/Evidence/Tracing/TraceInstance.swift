import CEvidence
import Synchronization
import SystemPackage

/// A trace instance of this process's own, which records the kvm events of the threads that one thread starts.
///
/// The kernel follows those threads by itself (the option `event-fork`), so a machine's vCPUs are recorded from their
/// first instruction, and no other machine's. Two things happen outside of them and are not seen: the in-kernel PIT's
/// ticks, and irqfds of lines, which a kernel thread raises.
///
/// The instance is removed by `close`, at the latest when it is let go of. What a killed process leaves behind is removed
/// by whoever comes next.
public final class TraceInstance: Sendable {
  /// Where it is.
  var directory: FilePath { folder.path }
  /// The events that are recorded.
  public let events: [String]
  /// The events that would be recorded if this kernel had them.
  public let absentEvents: [String]
  /// Whether times are TSC cycles; otherwise they are nanoseconds of the kernel's trace clock.
  public let countsCycles: Bool

  private let fileSystem: TraceFileSystem
  private let folder: TraceInstanceFolder
  private let pipe: FileDescriptor
  private let state = Mutex(State())

  private struct State {
    var thread: Int32?
    var wantsResidency = false
    var recordsResidency = false
    var isClosed = false
  }

  private static let readLimit = 4 << 20

  /// Makes an instance and removes those of processes that are no more.
  ///
  /// - Parameter paths: where tracefs is looked for.
  /// - Throws: `TraceUnavailable` with the host's reason.
  public init(_ paths: TracePaths = TracePaths()) throws(TraceUnavailable) {
    let fileSystem = try TraceFileSystem(paths)
    let instances = fileSystem.root.appending("instances")
    TraceInstanceFolder.removeStale(in: instances)
    let folder = try TraceInstanceFolder(in: instances)
    let directory = folder.path
    do throws(Errno) {
      let configuration = try TraceConfiguration.apply(to: directory)
      pipe = try TextFile.call {
        try FileDescriptor.open(
          directory.appending("trace_pipe"), .readOnly, options: [.nonBlocking, .closeOnExec])
      }
      events = configuration.events
      absentEvents = configuration.absentEvents
      countsCycles = configuration.countsCycles
    } catch {
      try? TextFile.removeDirectory(directory)
      throw TraceUnavailable("a trace instance cannot be set up: \(error)")
    }
    self.fileSystem = fileSystem
    self.folder = folder
  }

  deinit { close() }

  /// Ends recording and removes the instance; does nothing the second time.
  public func close() {
    let isFirst = state.withLock { state in
      defer { state.isClosed = true }
      return !state.isClosed
    }
    guard isFirst else { return }
    try? pipe.close()
    try? TextFile.removeDirectory(directory)
  }

  /// Whether entries into the guest and exits are recorded: asked for, and there on this host.
  public var recordsResidency: Bool { state.withLock { $0.recordsResidency } }

  /// Begins to record the calling thread and the threads that it starts from now on, and forgets what was recorded.
  ///
  /// - Parameter withResidency: record entries into the guest and exits too, where the host has both tracepoints.
  /// - Throws: `TraceUnavailable` where the kernel refuses.
  public func begin(withResidency: Bool = false) throws(TraceUnavailable) {
    let thread = cevidence_thread_id()
    do throws(Errno) {
      try TextFile.write("0", to: directory.appending("tracing_on"))
      _ = try TextFile.drain(pipe)
      // Replacing the filter waits for all processors, so it is done only when another thread comes.
      if state.withLock({ $0.thread }) != thread {
        try TextFile.write("\(thread)", to: directory.appending("set_event_pid"))
        state.withLock { $0.thread = thread }
      }
      // An event's switch patches the kernel's code, so it is left where it is while that will do.
      if state.withLock({ $0.wantsResidency }) != withResidency {
        let records = try TraceConfiguration.record(residency: withResidency, in: directory)
        state.withLock {
          $0.wantsResidency = withResidency
          $0.recordsResidency = records
        }
      }
      try TextFile.write("1", to: directory.appending("tracing_on"))
    } catch {
      throw TraceUnavailable("recording cannot begin: \(error)")
    }
  }

  /// What was recorded since `begin` or the last call of this, while recording goes on. An interrupt storm may be recorded
  /// faster than anybody reads, so what comes after a few megabytes is left for the next call.
  ///
  /// - Throws: `TraceUnavailable` where the kernel refuses.
  public func read() throws(TraceUnavailable) -> TraceText {
    do throws(Errno) {
      return TraceText(parsing: try TextFile.drain(pipe, limit: Self.readLimit))
    } catch {
      throw TraceUnavailable("what was recorded cannot be read: \(error)")
    }
  }

  /// Ends recording.
  ///
  /// - Returns: what was recorded since `begin` or the last `read`.
  /// - Throws: `TraceUnavailable` where the kernel refuses.
  public func end() throws(TraceUnavailable) -> TraceText {
    do throws(Errno) {
      try TextFile.write("0", to: directory.appending("tracing_on"))
      // Nothing is added any more, so there is an end.
      return TraceText(parsing: try TextFile.drain(pipe))
    } catch {
      throw TraceUnavailable("recording cannot be ended: \(error)")
    }
  }
}
