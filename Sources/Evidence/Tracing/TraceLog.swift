package import SystemPackage

/// What a trace instance has recorded since it began, as far as it is kept.
struct TraceLog {
  /// Where it is recorded.
  let instance: TraceInstance
  /// What was taken from there so far.
  private var processors = ProcessorEvents()
  /// How many events of each processor had been taken at the mark.
  private var marks: [Int] = []

  /// How many events are kept, more than belong to what a guest's log has room for: a guest may storm for as long as it
  /// runs.
  private static let limit = 500_000

  /// Begins to record the threads that this thread starts from now on.
  ///
  /// - Parameters:
  ///   - instance: where it is recorded.
  ///   - withResidency: record entries into the guest and exits too.
  /// - Throws: `TraceUnavailable` where the kernel refuses.
  init(beginning instance: TraceInstance, withResidency: Bool) throws(TraceUnavailable) {
    self.instance = instance
    try instance.begin(withResidency: withResidency)
  }

  /// Whether no event was lost so far.
  var isWhole: Bool { processors.lost == 0 }

  /// Takes what was recorded since the last call: now and then, before the kernel's buffers are full.
  mutating func drain() { take { instance throws(TraceUnavailable) in try instance.read() } }

  /// Ends recording and takes the rest.
  mutating func end() { take { instance throws(TraceUnavailable) in try instance.end() } }

  /// Notes that what was taken so far came before something.
  mutating func mark() { marks = processors.events.map(\.count) }

  /// A part of what was taken.
  enum Part {
    case all
    case beforeMark
    case sinceMark
  }

  /// What was taken, in the order of time. What was lost counts for every part.
  func recording(_ part: Part = .all) -> TraceRecording {
    var shown = processors
    for (index, events) in shown.events.enumerated() where part != .all {
      let count = marks.indices.contains(index) ? marks[index] : 0
      shown.events[index] = Array(part == .beforeMark ? events.prefix(count) : events.dropFirst(count))
    }
    return TraceRecording(shown)
  }

  /// A trace that can no longer be read counts as lost, and so does what is too much.
  private mutating func take(_ read: (TraceInstance) throws(TraceUnavailable) -> ProcessorEvents) {
    do throws(TraceUnavailable) {
      processors.append(try read(instance), keeping: Self.limit)
    } catch {
      processors.lost &+= 1
    }
  }
}

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
