import KVM

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
