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
