/// What a trace says, and how much of it was not to be had.
public struct TraceText: Hashable, Sendable {
  /// The events, in the order of their times.
  public var events: [TraceEvent] = []
  /// How many events the kernel threw away because the buffer was full.
  public var lost: UInt64 = 0
  /// How many lines were neither an event that is recorded nor a comment.
  public var unknownLines = 0

  /// No trace.
  public init() {}

  /// The events in a trace's text.
  public init(parsing bytes: [UInt8]) {
    for line in bytes.split(separator: UInt8(ascii: "\n")) where line.first != UInt8(ascii: "#") {
      if let event = TraceEvent(line: line) {
        events.append(event)
      } else if let count = Self.lostEvents(line) {
        lost &+= count
      } else {
        unknownLines += 1
      }
    }
  }

  /// Adds what came later.
  public mutating func append(_ later: TraceText) {
    events += later.events
    lost &+= later.lost
    unknownLines += later.unknownLines
  }

  /// `CPU:1 [LOST 12 EVENTS]` (kernel, `print_trace_line`); 1 where the kernel does not know how many.
  private static func lostEvents(_ line: ArraySlice<UInt8>) -> UInt64? {
    let words = line.words()
    guard words.count >= 3, words[0].begins("CPU:"), words[1].reads("[LOST"), words.last?.reads("EVENTS]") == true
    else {
      return nil
    }
    return words.count == 4 ? words[2].number() : 1
  }
}
