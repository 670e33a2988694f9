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
    let text = bytes.span
    var start = 0
    while start < text.count {
      let end = text.first("\n", in: start..<text.count)
      if start < end, text[start] != UInt8(ascii: "#") { take(text, line: start..<end) }
      start = end + 1
    }
  }

  private mutating func take(_ text: Span<UInt8>, line: Range<Int>) {
    if let event = TraceEvent(text, line: line) {
      events.append(event)
    } else if let count = Self.lostEvents(text, line) {
      lost &+= count
    } else {
      unknownLines += 1
    }
  }

  /// Adds what came later.
  ///
  /// - Parameter limit: how many events there may be; those beyond it count as lost.
  public mutating func append(_ later: TraceText, keeping limit: Int = .max) {
    let kept = later.events.prefix(max(0, limit - events.count))
    events += kept
    lost &+= later.lost &+ UInt64(later.events.count - kept.count)
    unknownLines += later.unknownLines
  }

  /// `CPU:1 [LOST 12 EVENTS]` (kernel, `print_trace_line`); 1 where the kernel does not know how many.
  private static func lostEvents(_ text: Span<UInt8>, _ line: Range<Int>) -> UInt64? {
    var rest = line
    guard let processor = text.takeWord(off: &rest), text.begins(processor, "CPU:"),
      let lost = text.takeWord(off: &rest), text.reads(lost, "[LOST"), let word = text.takeWord(off: &rest)
    else { return nil }
    if text.reads(word, "EVENTS]") { return 1 }
    guard let last = text.takeWord(off: &rest), text.reads(last, "EVENTS]") else { return nil }
    return text.number(word)
  }
}
