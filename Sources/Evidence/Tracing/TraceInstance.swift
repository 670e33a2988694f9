import CEvidence
import KVM
import Support
import Synchronization
import SystemPackage

/// A trace instance of this process's own, which records the kvm events of some threads (`TraceSubject`), and no others'.
///
/// The kernel follows the threads that these start by itself (the option `event-fork`), so a machine's vCPUs are recorded
/// from their first instruction where the thread is recorded that starts them. Two things happen outside of a machine's
/// threads and are only seen where all are recorded: the in-kernel PIT's ticks, and irqfds of lines, which a kernel thread
/// raises.
///
/// The instance is removed by `close`, at the latest when it is let go of. What a killed process leaves behind is removed
/// by whoever comes next.
public final class TraceInstance: Sendable {
  /// Where it is.
  var directory: FilePath { folder.path }
  /// The events that are recorded.
  public var events: [String] { configuration.events.map(\.rawValue) }
  /// What would be recorded if this kernel had it.
  public var absentEvents: [String] { configuration.absentEvents }
  /// Whether times are TSC cycles; otherwise they are nanoseconds of the kernel's trace clock.
  public var countsCycles: Bool { configuration.countsCycles }
  /// The kernel's names of exits.
  var exitNames: ExitNames {
    state.withLock { state in
      let names = state.exitNames ?? configuration.decoder.exitNames
      state.exitNames = names
      return names
    }
  }

  /// The kernel's names of inhibits, which it tells itself since Linux 6.12.
  var inhibitNames: InhibitNames {
    let names = configuration.decoder.inhibitNames
    return names.isEmpty ? InhibitNames { HostSurvey.take().isKernel(before: $0, $1) } : names
  }

  private let fileSystem: TraceFileSystem
  private let folder: TraceInstanceFolder
  private let configuration: TraceConfiguration
  private let state: Mutex<State>

  private struct State {
    /// The buffers, by processor.
    var rings: [ProcessorRing]
    /// Room for a page.
    var page: [UInt8]
    /// The kernel's names of exits, once somebody has asked for them.
    var exitNames: ExitNames?
    /// The thread that is recorded, with those that it starts; nil where others are.
    var thread: Int32?
    var wantsResidency = false
    var recordsResidency = false
    var isClosed = false
  }

  /// How many pages of a processor's are read at a time.
  private static let readLimit = 1024

  /// Makes an instance and removes those of processes that are no more.
  ///
  /// - Parameters:
  ///   - paths: where tracefs is looked for.
  ///   - room: how large its buffers are.
  /// - Throws: `TraceUnavailable` with the host's reason.
  init(_ paths: TracePaths = TracePaths(), _ room: TraceConfiguration.Room = .scenario) throws(TraceUnavailable) {
    let fileSystem = try TraceFileSystem.find(paths)
    let instances = fileSystem.root.appending("instances")
    TraceInstanceFolder.removeStale(in: instances)
    let folder = try TraceInstanceFolder(in: instances)
    let directory = folder.path
    var rings: [ProcessorRing] = []
    do throws(TraceUnavailable) {
      configuration = try TraceConfiguration.apply(to: directory, room)
      try Self.open(directory, &rings)
    } catch {
      for ring in rings { ring.close() }
      try? TextFile.removeDirectory(directory)
      throw error
    }
    state = Mutex(State(rings: rings, page: [UInt8](repeating: 0, count: configuration.decoder.page.size)))
    self.fileSystem = fileSystem
    self.folder = folder
  }

  deinit { close() }

  private static func open(_ directory: FilePath, _ rings: inout [ProcessorRing]) throws(TraceUnavailable) {
    let processors = directory.appending("per_cpu")
    do throws(Errno) {
      for name in HostFile.names(in: processors) where name.hasPrefix("cpu") {
        rings.append(try ProcessorRing(processors.appending(name)))
      }
    } catch {
      throw TraceUnavailable("a trace instance's buffers cannot be opened", error)
    }
  }

  /// Ends recording and removes the instance; does nothing the second time.
  public func close() {
    let isFirst = state.withLock { state in
      for ring in state.rings { ring.close() }
      state.rings = []
      defer { state.isClosed = true }
      return !state.isClosed
    }
    guard isFirst else { return }
    try? TextFile.removeDirectory(directory)
  }

  /// Whether it records a thread by now, with those that it starts.
  func records(thread: Int32) -> Bool { state.withLock { $0.thread } == thread }

  /// Whether entries into the guest and exits are recorded: asked for, and there on this host.
  public var recordsResidency: Bool { state.withLock { $0.recordsResidency } }

  /// Has accesses to model-specific registers recorded as well, from now on, where this kernel has the tracepoint.
  ///
  /// - Throws: `TraceUnavailable` where the kernel refuses.
  func recordRegisters() throws(TraceUnavailable) {
    do throws(Errno) {
      try configuration.recordRegisters(in: directory)
    } catch {
      throw TraceUnavailable("kvm_msr cannot be recorded", error)
    }
  }

  /// Begins to record, and forgets what was recorded.
  ///
  /// - Parameters:
  ///   - subject: whose events: by default those of the calling thread and the threads that it starts from now on.
  ///   - withResidency: record entries into the guest and exits too, where the host has both tracepoints.
  /// - Throws: `TraceUnavailable` where the kernel refuses.
  public func begin(_ subject: TraceSubject = .callingThread, withResidency: Bool = false) throws(TraceUnavailable) {
    let thread = cevidence_thread_id()
    do throws(Errno) {
      try TextFile.write("0", to: directory.appending("tracing_on"))
      try state.withLock { state throws(Errno) in
        for index in state.rings.indices { try state.rings[index].begin(&state.page) }
      }
      // Replacing the filter waits for all processors, so it is done only when another thread comes.
      if subject != .callingThread || state.withLock({ $0.thread }) != thread {
        try subject.filter(directory.appending("set_event_pid"), callingThread: thread)
        state.withLock { $0.thread = subject == .callingThread ? thread : nil }
      }
      // An event's switch patches the kernel's code, so it is left where it is while that will do.
      if state.withLock({ $0.wantsResidency }) != withResidency {
        let records = try configuration.record(residency: withResidency, in: directory)
        state.withLock {
          $0.wantsResidency = withResidency
          $0.recordsResidency = records
        }
      }
      try TextFile.write("1", to: directory.appending("tracing_on"))
    } catch {
      throw TraceUnavailable("recording cannot begin", error)
    }
  }

  /// What was recorded since `begin` or the last call of this, while recording goes on. An interrupt storm may be recorded
  /// faster than anybody reads, so what comes after a few megabytes is left for the next call.
  ///
  /// - Parameter pages: how many pages of each processor's are read, at the most; nil for a few megabytes.
  /// - Throws: `TraceUnavailable` where the kernel refuses.
  func read(pages: Int? = nil) throws(TraceUnavailable) -> ProcessorEvents {
    do throws(Errno) {
      return try read(pages: pages ?? Self.readLimit, isLast: false)
    } catch {
      throw TraceUnavailable("what was recorded cannot be read", error)
    }
  }

  /// Ends recording. What was recorded is still there to be read, and nothing is added.
  ///
  /// - Throws: `TraceUnavailable` where the kernel refuses.
  func stop() throws(TraceUnavailable) {
    do throws(Errno) {
      try TextFile.write("0", to: directory.appending("tracing_on"))
    } catch {
      throw TraceUnavailable("recording cannot be ended", error)
    }
  }

  /// How many processors' buffers there are.
  var processors: Int { state.withLock { $0.rings.count } }

  /// Ends recording.
  ///
  /// - Returns: what was recorded since `begin` or the last `read`.
  /// - Throws: `TraceUnavailable` where the kernel refuses.
  func end() throws(TraceUnavailable) -> ProcessorEvents {
    do throws(Errno) {
      try TextFile.write("0", to: directory.appending("tracing_on"))
      // Nothing is added any more, so there is an end.
      return try read(pages: .max, isLast: true)
    } catch {
      throw TraceUnavailable("recording cannot be ended", error)
    }
  }

  /// Ends recording.
  ///
  /// - Returns: what was recorded since `begin`, in the order of its times.
  /// - Throws: `TraceUnavailable` where the kernel refuses.
  public func recording() throws(TraceUnavailable) -> TraceRecording { TraceRecording(try end()) }

  /// Takes the pages that were recorded since `begin` or the last call of this, as they are: for each processor its own.
  func takePages() throws(Errno) -> [[[UInt8]]] {
    try state.withLock { state throws(Errno) in
      var pages: [[[UInt8]]] = []
      for ring in state.rings { pages.append(try ring.takePages(configuration.decoder.page.size)) }
      return pages
    }
  }

  /// What reads its pages.
  var decoder: EventDecoder { configuration.decoder }

  private func read(pages limit: Int, isLast: Bool) throws(Errno) -> ProcessorEvents {
    try state.withLock { state throws(Errno) in
      var processors = ProcessorEvents()
      for index in state.rings.indices {
        try state.rings[index].read(configuration.decoder, &state.page, pages: limit, into: &processors)
        if isLast { processors.lost &+= try state.rings[index].lostUntold() }
      }
      return processors
    }
  }
}
