public import Evidence
public import Support
import Synchronization
public import SystemPackage

/// A file that a timeline is written into as it is recorded. It takes its name when it is complete.
///
/// Several threads may have machines on it. What cannot be written is told at the end: recording goes on without it.
public final class TimelineFile: Sendable {
  /// What it can be.
  public enum Format: String, CaseIterable, Sendable {
    /// Perfetto's trace format, for ui.perfetto.dev and trace_processor.
    case perfetto = "pftrace"
    /// A page of its own.
    case html
    /// A picture of bounded size.
    case svg

    /// The format that a file's name asks for by its ending; nil for none.
    public init?(fileName: String) {
      guard let dot = fileName.lastIndex(of: "."), dot != fileName.startIndex else { return nil }
      self.init(rawValue: fileName[fileName.index(after: dot)...].lowercased())
    }
  }

  private struct State: ~Copyable {
    var file: GrowingFile
    var writer: any TimelineWriter
    var pending: [UInt8] = []
    var machines = 0
    var failure: Errno?

    /// Writes what waits, once it is worth a call.
    mutating func flush(atLeast least: Int) {
      guard pending.count >= least, !pending.isEmpty else { return }
      if failure == nil {
        do throws(Errno) { try file.append(pending) } catch { failure = error }
      }
      pending.removeAll(keepingCapacity: true)
    }
  }

  private static let chunk = 1 << 16
  private let state: Mutex<State>

  /// Begins a file.
  ///
  /// - Parameters:
  ///   - output: its place, which is no pipe and no device.
  ///   - format: what it is to be.
  /// - Throws: the error of the call that failed.
  public init(_ output: OutputFile, _ format: Format) throws(Errno) {
    let writer: any TimelineWriter =
      switch format {
      case .perfetto: PerfettoWriter()
      case .html: PageWriter()
      case .svg: PictureWriter()
      }
    state = Mutex(State(file: try GrowingFile(output), writer: writer))
  }

  /// Begins the timeline of a machine.
  ///
  /// - Parameters:
  ///   - machine: the machine.
  ///   - exitNames: the kernel's names of exits.
  ///   - inhibitNames: the kernel's names of inhibits.
  public func begin(
    _ machine: TimelineMachine, exitNames: ExitNames, inhibitNames: InhibitNames
  ) -> MachineTimeline {
    let number = state.withLock { state in
      state.machines += 1
      state.writer.begin(machine, state.machines, into: &state.pending)
      return state.machines
    }
    return MachineTimeline(
      machine, number: number, exitNames: exitNames, inhibitNames: inhibitNames, file: self)
  }

  /// Completes it: it takes its name.
  ///
  /// - Throws: the error of the first call that failed; nothing is left behind then.
  public func commit() throws {
    try state.withLock { state throws(any Error) in
      state.writer.finish(into: &state.pending)
      state.flush(atLeast: 0)
      if let failure = state.failure { throw failure }
      try state.file.commit()
    }
  }

  func add(_ item: TimelineItem, of number: Int) {
    state.withLock { state in
      state.writer.add(item, of: number, into: &state.pending)
      state.flush(atLeast: Self.chunk)
    }
  }

  func end(_ number: Int, notes: [String]) {
    state.withLock { state in
      state.writer.end(number, notes: notes, into: &state.pending)
      state.flush(atLeast: Self.chunk)
    }
  }
}
