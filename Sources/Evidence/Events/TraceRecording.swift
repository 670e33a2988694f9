/// What a trace shows, and how much of it was not to be had.
public struct TraceRecording: Hashable, Sendable {
  /// The events, in the order of their times.
  public var events: [TraceEvent] = []
  /// How many events were lost: the kernel threw them away because a buffer was full, or they were more than are kept.
  public var lost: UInt64 = 0
  /// How many events meant nothing here: of an unknown kind, or damaged.
  public var unknown = 0

  /// No trace.
  public init() {}
}

/// What was recorded on each of the host's processors, each in the order of its times.
struct ProcessorEvents {
  /// The events of each processor.
  var events: [[TraceEvent]] = []
  /// Up to which time each processor's events are here at least: nil for all that there were.
  var cuts: [UInt64?] = []
  /// How many events were lost.
  var lost: UInt64 = 0
  /// How many meant nothing.
  var unknown = 0

  /// How many events there are.
  var count: Int { events.reduce(0) { $0 + $1.count } }

  /// Adds what came later of the same processors.
  ///
  /// - Parameter limit: how many events there may be in all; those beyond it count as lost.
  mutating func append(_ later: ProcessorEvents, keeping limit: Int) {
    var room = max(0, limit - count)
    for (index, new) in later.events.enumerated() {
      while events.count <= index { events.append([]) }
      let kept = new.prefix(room)
      room -= kept.count
      events[index] += kept
      lost &+= UInt64(new.count - kept.count)
    }
    lost &+= later.lost
    unknown += later.unknown
  }
}

/// Puts the events of several processors in one order, by time; of the same time, by processor.
struct EventMerge {
  private var streams: [[TraceEvent]] = []
  private var heads: [Int] = []

  /// Adds what came later of each processor.
  mutating func append(_ later: [[TraceEvent]]) {
    for (index, events) in later.enumerated() {
      if streams.count <= index {
        streams.append(events)
        heads.append(0)
      } else if heads[index] == streams[index].count {
        streams[index] = events
        heads[index] = 0
      } else {
        streams[index].removeFirst(heads[index])
        heads[index] = 0
        streams[index] += events
      }
    }
  }

  /// Takes the events of before a time, or all, in their order.
  ///
  /// - Parameters:
  ///   - limit: the time; nil for all.
  ///   - body: called with each.
  @inline(__always)
  mutating func take(before limit: UInt64? = nil, _ body: (TraceEvent) -> Void) {
    while let (stream, next) = earliest() {
      // All of this processor up to where another has an earlier one.
      var head = heads[stream]
      let count = streams[stream].count
      repeat {
        let time = streams[stream][head].time
        if let limit, time >= limit {
          heads[stream] = head
          return
        }
        body(streams[stream][head])
        head += 1
      } while head < count && streams[stream][head].time < next
      heads[stream] = head
    }
  }

  /// The stream with the earliest event, and the time of the earliest of the others.
  private func earliest() -> (stream: Int, next: UInt64)? {
    var found: Int?
    var (best, second) = (UInt64.max, UInt64.max)
    for index in streams.indices where heads[index] < streams[index].count {
      let time = streams[index][heads[index]].time
      if found == nil || time < best {
        second = best
        (found, best) = (index, time)
      } else if time < second {
        second = time
      }
    }
    return found.map { ($0, second) }
  }
}

extension TraceRecording {
  /// The events of several processors in one order.
  init(_ processors: ProcessorEvents) {
    events.reserveCapacity(processors.count)
    var merge = EventMerge()
    merge.append(processors.events)
    var events = events
    merge.take { events.append($0) }
    self.events = events
    lost = processors.lost
    unknown = processors.unknown
  }
}
