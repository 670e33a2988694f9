import APIC

extension TraceEvent {
  /// How wide the command's name before the thread's id is (kernel, `trace_print_context`). It may contain anything.
  private static let commandWidth = 16

  /// The event of a line of trace text; nil for any other line.
  ///
  /// The line is `COMMAND-THREAD [PROCESSOR] FLAGS TIME: NAME: TEXT`; there may be a process id before the processor,
  /// and there may be no flags.
  init?(line: some Collection<UInt8>) {
    let rest = line.dropFirst(Self.commandWidth)
    guard rest.first == UInt8(ascii: "-") else { return nil }
    var words = String(decoding: rest.dropFirst(), as: UTF8.self).split(separator: " ")[...]
    guard let thread = words.popFirst().flatMap({ Int32($0) }) else { return nil }
    if words.first?.first == "(" {
      while let word = words.popFirst(), !word.hasSuffix(")") {}
    }
    guard let word = words.popFirst(), word.hasPrefix("["), word.hasSuffix("]"),
      let processor = Int(word.dropFirst().dropLast())
    else { return nil }
    if words.first?.hasSuffix(":") == false { words.removeFirst() }
    guard let time = words.popFirst().flatMap(Self.time), let name = words.popFirst(), name.hasSuffix(":"),
      let detail = Detail(name: String(name.dropLast()), words: Array(words))
    else { return nil }
    self.init(
      time: time, thread: thread, processor: processor, name: String(name.dropLast()), detail: detail)
  }

  /// A plain number, or seconds with six decimals, both with a colon behind.
  private static func time(_ word: Substring) -> UInt64? {
    guard word.hasSuffix(":") else { return nil }
    let parts = word.dropLast().split(separator: ".", omittingEmptySubsequences: false)
    switch parts.count {
    case 1: return UInt64(parts[0])
    case 2:
      guard parts[1].utf8.count == 6, let seconds = UInt64(parts[0]), let microseconds = UInt64(parts[1]) else {
        return nil
      }
      let (nanoseconds, overflows) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
      return overflows ? nil : nanoseconds &+ microseconds * 1000
    default: return nil
    }
  }
}
