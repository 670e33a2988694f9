import APIC
import KVM

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

/// What a trace instance records, taken while it goes on: events one by one, in the order of time over all processors.
struct TraceStream {
  /// Where it is recorded, in TSC cycles.
  let instance: TraceInstance
  private var merge = EventMerge()
  /// The host's TSC when what was recorded was last asked for.
  private var lastRead: UInt64
  /// How many events were lost.
  private(set) var lost: UInt64 = 0
  /// How many events meant nothing here.
  private(set) var unknown = 0

  /// The stream of an instance that is about to begin.
  ///
  /// - Throws: `TraceUnavailable` where its times are not the TSC's.
  init(_ instance: TraceInstance) throws(TraceUnavailable) {
    guard instance.countsCycles else {
      throw TraceUnavailable("this kernel's traces do not have the trace clock x86-tsc")
    }
    self.instance = instance
    lastRead = hostTSC()
  }

  /// Takes what was recorded since the last call: now and then, before the kernel's buffers are full.
  ///
  /// - Parameters:
  ///   - pages: how many pages of each processor's buffer are read, at the most; nil for a few megabytes.
  ///   - lose: called before the events that may lack others, with the time before which these are missing.
  ///   - body: called with each event that no earlier one can come after.
  /// - Returns: whether more is there to be taken.
  @discardableResult
  mutating func drain(
    pages: Int? = nil, lose: (UInt64) -> Void = { _ in }, _ body: (TraceEvent) -> Void
  ) -> Bool {
    let now = hostTSC()
    // An event is in its buffer a little after its time, and processors are read one after the other. What is older than
    // the reading before, though, is here: unless more of it is there than was read.
    var limit = lastRead
    var isBehind = false
    let before = lost
    take { instance throws(TraceUnavailable) in
      let new = try instance.read(pages: pages)
      isBehind = new.cuts.contains { $0 != nil }
      limit = new.cuts.reduce(limit) { min($0, $1 ?? $0) }
      return new
    }
    if lost != before { lose(now) }
    merge.take(before: limit, body)
    lastRead = now
    return isBehind
  }

  /// Ends recording, and takes the rest.
  ///
  /// - Parameters:
  ///   - pages: how many pages of each processor's buffer are read at a time; nil for all, in memory of their size.
  ///   - lose: called before the events that may lack others, with the time before which these are missing.
  ///   - body: called with each event.
  mutating func end(pages: Int? = nil, lose: (UInt64) -> Void = { _ in }, _ body: (TraceEvent) -> Void) {
    if let pages {
      // What cannot be stopped is not read to its end either, which may never come.
      if (try? instance.stop()) != nil { while drain(pages: pages, lose: lose, body) {} }
    }
    let before = lost
    take { instance throws(TraceUnavailable) in try instance.end() }
    if lost != before { lose(hostTSC()) }
    merge.take(body)
  }

  /// A trace that can no longer be read counts as lost.
  private mutating func take(_ read: (TraceInstance) throws(TraceUnavailable) -> ProcessorEvents) {
    do throws(TraceUnavailable) {
      let new = try read(instance)
      merge.append(new.events)
      lost &+= new.lost
      unknown += new.unknown
    } catch {
      lost &+= 1
    }
  }
}
