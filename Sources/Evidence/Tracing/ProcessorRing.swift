import Glibc
import SystemPackage

/// The part of a trace instance's buffer that one processor of the host writes (kernel, Documentation/trace/ftrace.rst,
/// `per_cpu/cpuN`), read page by page in binary.
struct ProcessorRing {
  private let pipe: FileDescriptor
  private let counters: FileDescriptor
  /// What the counters of lost events were when recording began.
  private var before: UInt64 = 0
  /// How many events its pages said were lost since then.
  private var missed: UInt64 = 0

  /// Opens it.
  ///
  /// - Parameter directory: its `per_cpu/cpuN`.
  /// - Throws: what the kernel refuses it with.
  init(_ directory: FilePath) throws(Errno) {
    pipe = try TextFile.call {
      try FileDescriptor.open(
        directory.appending("trace_pipe_raw"), .readOnly, options: [.nonBlocking, .closeOnExec])
    }
    do throws(Errno) {
      counters = try TextFile.call {
        try FileDescriptor.open(directory.appending("stats"), .readOnly, options: .closeOnExec)
      }
    } catch {
      try? pipe.close()
      throw error
    }
  }

  /// Closes its files; once, and nothing else afterwards.
  func close() {
    try? pipe.close()
    try? counters.close()
  }

  /// Throws away what is in it, and counts what is lost from now on.
  mutating func begin(_ page: inout [UInt8]) throws(Errno) {
    while try read(into: &page) > 0 {}
    before = try lost()
    missed = 0
  }

  /// Decodes what is in it.
  ///
  /// - Parameters:
  ///   - decoder: by whose formats.
  ///   - page: room for a page, so that none has to be made.
  ///   - limit: how many pages, at the most; a storm of interrupts may be recorded faster than anybody reads.
  ///   - processors: what the events are added to.
  /// - Throws: what the kernel refuses reading with.
  mutating func read(
    _ decoder: EventDecoder, _ page: inout [UInt8], pages limit: Int, into processors: inout ProcessorEvents
  ) throws(Errno) {
    var events: [TraceEvent] = []
    var left = limit
    defer {
      processors.events.append(events)
      processors.cuts.append(left > 0 ? nil : events.last?.time ?? 0)
    }
    while left > 0 {
      let count = try read(into: &page)
      guard count > 0 else { return }
      left -= 1
      // Sound: a byte has no padding.
      let summary = unsafe decoder.decode(page.span.bytes.extracting(first: count), into: &events)
      missed &+= summary.lost
      processors.lost &+= summary.lost
      processors.unknown += summary.unknown
    }
  }

  /// What is in it, page by page.
  func takePages(_ size: Int) throws(Errno) -> [[UInt8]] {
    var pages: [[UInt8]] = []
    var page = [UInt8](repeating: 0, count: size)
    while true {
      let count = try read(into: &page)
      guard count > 0 else { return pages }
      pages.append(Array(page.prefix(count)))
    }
  }

  /// How many events were lost since it began that no page has told of: what the kernel's counters say beyond that.
  mutating func lostUntold() throws(Errno) -> UInt64 {
    let all = try lost() &- before
    guard all > missed else { return 0 }
    defer { missed = all }
    return all - missed
  }

  /// The next page: how many bytes of it there are, 0 where there is none.
  private func read(into page: inout [UInt8]) throws(Errno) -> Int {
    do throws(Errno) {
      // Sound: the kernel writes into the bytes of the array, at most as many as there are.
      return try TextFile.call { try unsafe page.withUnsafeMutableBytes { unsafe try pipe.read(into: $0) } }
    } catch .resourceTemporarilyUnavailable {
      return 0
    }
  }

  /// Events that were overwritten, that found no room, and that were dropped, since the instance was made.
  private func lost() throws(Errno) -> UInt64 {
    try TextFile.call { _ = try counters.seek(offset: 0, from: .start) }
    return Self.lost(in: String(decoding: try TextFile.drain(counters), as: UTF8.self))
  }

  /// Those counters in the text of `stats` (kernel, `tracing_stats_read`).
  static func lost(in text: String) -> UInt64 {
    var sum: UInt64 = 0
    for line in text.split(separator: "\n") {
      for name in ["overrun: ", "commit overrun: ", "dropped events: "] where line.hasPrefix(name) {
        sum &+= UInt64(line.dropFirst(name.count)) ?? 0
      }
    }
    return sum
  }
}
