/// How a page of the ring buffer is laid out (kernel, `events/header_page`; include/linux/ring_buffer.h).
struct PageFormat: Hashable, Sendable {
  private let timestamp: EventField
  private let commit: EventField
  private let data: Int
  /// How many bytes a page has: so many must be read at a time, since a read gives one page or less.
  let size: Int

  /// What is more is no page: the largest that `buffer_subbuf_size_kb` takes is 512 KiB.
  private static let sizeLimit = 1 << 20

  /// The layout in the bytes of that file; nil where they are not of one.
  init?(parsing bytes: RawSpan) {
    var fields: [String: EventField] = [:]
    var data: (offset: Int, size: Int)?
    for line in String(formatText: bytes).asciiLines {
      if let (name, field) = EventField.named(in: line) { fields[name] = field }
      let words = line.split { " \t;".contains($0) }
      guard words.starts(with: ["field:", "char", "data"]) else { continue }
      func number(_ key: String) -> Int? {
        words.first { $0.hasPrefix(key) }.flatMap { Int($0.dropFirst(key.count)) }
      }
      if let offset = number("offset:"), let size = number("size:") { data = (offset, size) }
    }
    guard let timestamp = fields["timestamp"], timestamp.size == 8, let commit = fields["commit"],
      let data, (max(timestamp.end, commit.end)...EventFormat.sizeLimit).contains(data.offset),
      (8...Self.sizeLimit).contains(data.size)
    else { return nil }
    self.timestamp = timestamp
    self.commit = commit
    self.data = data.offset
    size = data.offset + data.size
  }

  /// What is to be said of a page besides its events.
  struct Summary: Hashable {
    /// How many events were lost before it; 1 where the kernel does not know how many.
    var lost: UInt64 = 0
    /// Whether what is in it goes beyond its end, so that the rest of it was left.
    var isDamaged = false
  }

  /// The bits of the commit count (kernel, `RB_MISSED_EVENTS`, `RB_MISSED_STORED`, `RB_MISSED_MASK`).
  private enum Commit {
    static let missedEvents: UInt64 = 1 << 31
    static let missedStored: UInt64 = 1 << 30
    static let count: UInt64 = (1 << 20) - 1
  }

  /// Goes through the events of a page.
  ///
  /// - Parameters:
  ///   - page: a page as it was read, from its beginning on; it may be damaged in any way.
  ///   - body: called with an event's time and with where in the page its fields are, in the order of the page.
  @inline(__always)
  func walk(_ page: RawSpan, _ body: (_ time: UInt64, _ payload: Range<Int>) -> Void) -> Summary {
    var summary = Summary()
    guard page.byteCount >= data else {
      summary.isDamaged = page.byteCount > 0
      return summary
    }
    let committed = commit.load(page, at: 0)
    let end = data + Int(committed & Commit.count)
    if committed & Commit.missedEvents != 0 {
      // Its number is behind the events, where there was room for it.
      let isStored = committed & Commit.missedStored != 0 && end + 8 <= page.byteCount
      summary.lost = max(1, isStored ? page.word(UInt64.self, at: end) : 1)
    }
    guard end <= page.byteCount else {
      summary.isDamaged = true
      return summary
    }
    var walk = PageWalk(place: data, end: end, time: timestamp.load(page, at: 0))
    while let payload = walk.next(page) { body(walk.time, payload) }
    summary.isDamaged = walk.isDamaged
    return summary
  }
}

/// A place in a page, which moves from event to event (kernel, include/linux/ring_buffer.h, `enum ring_buffer_type`).
private struct PageWalk {
  var place: Int
  let end: Int
  var time: UInt64
  var isDamaged = false

  private enum Kind {
    static let largestData: UInt32 = 28
    static let padding: UInt32 = 29
    static let timeExtend: UInt32 = 30
  }

  /// The fields of the next event of a tracepoint; nil at the end.
  @inline(__always)
  mutating func next(_ page: RawSpan) -> Range<Int>? {
    while place &+ 4 <= end {
      let head = page.word(UInt32.self, at: place)
      let kind = head & 0x1f
      let delta = UInt64(head >> 5)
      if kind != 0, kind <= Kind.largestData {
        let start = place &+ 4
        guard advance(by: 4 &+ 4 &* Int(kind)) else { return nil }
        time &+= delta
        return start..<place
      }
      // Padding without a length is the rest of the page.
      if kind == Kind.padding, delta == 0 { return nil }
      guard place &+ 8 <= end else { break }
      let word = page.word(UInt32.self, at: place &+ 4)
      let start = place &+ 8
      switch kind {
      case 0, Kind.padding:
        // The length counts itself, and is that of whole words.
        guard word >= 4, advance(by: 4 &+ (Int(word) &+ 3) & ~3) else { return fail() }
        time &+= delta
        if kind == 0 { return start..<place }
      case Kind.timeExtend:
        place = start
        time &+= UInt64(word) << 27 &+ delta
      default:
        // An absolute time has 59 bits; those above are what they were, unless it has gone over (`rb_fix_abs_ts`).
        place = start
        let low = UInt64(word) << 27 &+ delta
        var absolute = low | time & ~(1 << 59 &- 1)
        if absolute < time { absolute &+= 1 << 59 }
        time = absolute
      }
    }
    if place != end { isDamaged = true }
    return nil
  }

  @inline(__always)
  private mutating func advance(by length: Int) -> Bool {
    guard length <= end &- place else {
      isDamaged = true
      return false
    }
    place &+= length
    return true
  }

  private mutating func fail() -> Range<Int>? {
    isDamaged = true
    return nil
  }
}
