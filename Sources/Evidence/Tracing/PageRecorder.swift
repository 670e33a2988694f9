package import SystemPackage

/// Keeps the kernel's own pages of a trace, to measure what it costs to make journeys of them, again and again.
package final class PageRecorder {
  private let pool: TracePool
  private let instance: TraceInstance
  private var pages: [[[UInt8]]] = []
  private let start = TraceClock.now()

  /// The tracepoints that are recorded.
  package static let tracepoints = Tracepoint.allCases.map(\.rawValue)

  /// Begins to record the threads that this thread starts from now on, entries and exits included.
  ///
  /// - Throws: `TraceUnavailable` with the host's reason.
  package init(_ pool: TracePool) throws(TraceUnavailable) {
    self.pool = pool
    instance = try pool.lend()
    // If this throws, the pool gets the instance back from `deinit`: all properties are there.
    try instance.begin(withResidency: true)
  }

  deinit {
    _ = try? instance.end()
    pool.giveBack(instance)
  }

  /// Takes what was recorded since the last call, before the kernel's buffers are full.
  ///
  /// - Throws: the kernel's reason.
  package func drain() throws(Errno) {
    for (index, new) in try instance.takePages().enumerated() {
      if pages.count <= index { pages.append([]) }
      pages[index] += new
    }
  }

  /// What was made of the pages.
  package struct Counts: Equatable {
    /// How many events are in them.
    package var events = 0
    /// How many interrupts they tell of.
    package var journeys = 0
    /// How many events were lost.
    package var lost: UInt64 = 0
  }

  /// Decodes all pages, on this thread.
  ///
  /// - Parameter body: called with each event, in the order of time over all processors.
  /// - Returns: how many events are in them, and how many were lost.
  package func decode(_ body: (TraceEvent) -> Void) -> (events: Int, lost: UInt64) {
    var processors = ProcessorEvents()
    for pages in pages {
      var events: [TraceEvent] = []
      for page in pages {
        // Sound: a byte has no padding.
        processors.lost &+= unsafe instance.decoder.decode(page.span.bytes, into: &events).lost
      }
      processors.events.append(events)
    }
    var merge = EventMerge()
    merge.append(processors.events)
    merge.take(body)
    return (processors.count, processors.lost)
  }

  /// Decodes all pages and makes journeys of their events, on this thread.
  ///
  /// - Parameters:
  ///   - threads: the kernel's ids of the vCPUs' threads, by index.
  ///   - ids: KVM's ids of the vCPUs, by index.
  package func makeJourneys(threads: [Int32], ids: [UInt32]) -> Counts {
    var counts = Counts()
    var events = JourneyEvents()
    (counts.events, counts.lost) = decode { events.take($0) }
    let finder = JourneyFinder(
      events: events, threads: threads, ids: ids, clock: TraceClock(start, TraceClock.now()),
      guest: GuestTSC(offset: 0), tellsPresence: counts.lost == 0, isWhole: counts.lost == 0)
    counts.journeys = finder.journeys(of: []).count
    return counts
  }
}
