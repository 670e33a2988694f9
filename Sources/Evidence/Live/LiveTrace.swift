import APIC

/// Records the kvm events of machines that other processes run, in a trace instance of its own, and hands them on while they
/// come. The machines are left alone: nothing of theirs is stopped, and nothing is written to them.
///
/// The instance is removed by `close`, at the latest when this is let go of; what a killed process leaves behind is removed by
/// whoever records next.
public final class LiveTrace {
  private let instance: TraceInstance
  private var stream: TraceStream
  private let pages: Int
  private var isOver = false

  /// How many pages are read at a time, of all processors together: a few megabytes of events.
  private static let pageBudget = 2048

  /// Begins to record.
  ///
  /// - Parameters:
  ///   - subject: whose events.
  ///   - paths: where tracefs is looked for.
  /// - Throws: `TraceUnavailable` with the host's reason, also where the kernel's traces cannot have the TSC's times.
  public init(_ subject: TraceSubject, paths: TracePaths = TracePaths()) throws(TraceUnavailable) {
    instance = try TraceInstance(paths, .run)
    stream = try TraceStream(instance)
    pages = max(16, Self.pageBudget / max(1, instance.processors))
    try instance.recordRegisters()
    try instance.begin(subject, withResidency: true)
  }

  deinit { close() }

  /// Takes what was recorded since the last call, before the kernel's buffers are full.
  ///
  /// - Parameters:
  ///   - lose: called before events that may lack others, with the time before which these are missing.
  ///   - body: called with each event, in the order of time: TSC cycles.
  /// - Returns: whether more is there to be taken.
  public func drain(lose: (UInt64) -> Void, _ body: (TraceEvent) -> Void) -> Bool {
    isOver ? false : stream.drain(pages: pages, lose: lose, body)
  }

  /// Ends recording, and takes the rest.
  ///
  /// - Parameters:
  ///   - lose: called before events that may lack others, with the time before which these are missing.
  ///   - body: called with each event, in the order of time: TSC cycles.
  public func end(lose: (UInt64) -> Void, _ body: (TraceEvent) -> Void) {
    guard !isOver else { return }
    isOver = true
    stream.end(pages: pages, lose: lose, body)
  }

  /// Removes the instance; does nothing the second time.
  public func close() {
    isOver = true
    instance.close()
  }

  /// How many events were lost.
  public var lostEvents: UInt64 { stream.lost }
  /// How many events meant nothing here.
  public var unknownEvents: Int { stream.unknown }
  /// The tracepoints that would be recorded if this kernel had them.
  public var absentEvents: [String] { instance.absentEvents }
  /// Whether entries and exits are recorded, as far as the kernel says; a back end may never tell of one.
  public var recordsResidency: Bool { instance.recordsResidency }
  /// Whether accesses to model-specific registers are recorded.
  public var recordsRegisters: Bool { Tracepoint.registers.allSatisfy(instance.decoder.readable.contains) }
  /// The kernel's names of inhibits of APICv.
  public var inhibitNames: InhibitNames { instance.inhibitNames }
  /// The kernel's names of exits.
  public var exitNames: ExitNames { instance.exitNames }
}
