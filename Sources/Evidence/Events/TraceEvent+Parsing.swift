import APIC

extension TraceEvent {
  /// How wide the command's name before the thread's id is (kernel, `trace_print_context`). It may contain anything.
  private static let commandWidth = 16

  /// The event of a line of trace text; nil for any other line.
  ///
  /// The line is `COMMAND-THREAD [PROCESSOR] FLAGS TIME: NAME: TEXT`; there may be a process id before the processor,
  /// and there may be no flags.
  init?(_ text: Span<UInt8>, line: Range<Int>) {
    guard line.count > Self.commandWidth, text[line.lowerBound + Self.commandWidth] == UInt8(ascii: "-") else {
      return nil
    }
    var rest = (line.lowerBound + Self.commandWidth + 1)..<line.upperBound
    guard let thread = text.takeWord(off: &rest).flatMap({ text.number($0, as: Int32.self) }),
      var word = text.takeWord(off: &rest)
    else { return nil }
    if text.begins(word, "(") {
      while !text.ends(word, ")") {
        guard let next = text.takeWord(off: &rest) else { return nil }
        word = next
      }
      guard let next = text.takeWord(off: &rest) else { return nil }
      word = next
    }
    guard word.count > 2, text.begins(word, "["), text.ends(word, "]"),
      let processor = text.number(word.dropFirst().dropLast(), as: Int.self), var word = text.takeWord(off: &rest)
    else { return nil }
    if !text.ends(word, ":") {
      guard let next = text.takeWord(off: &rest) else { return nil }
      word = next
    }
    guard let time = Self.time(text, word), let label = text.takeWord(off: &rest), text.ends(label, ":"),
      let name = TraceConfiguration.name(text, label.dropLast()), let detail = Detail(name: name, text, rest)
    else { return nil }
    self.init(time: time, thread: thread, processor: processor, name: name, detail: detail)
  }

  /// A plain number, or seconds with six decimals, both with a colon behind.
  private static func time(_ text: Span<UInt8>, _ word: Range<Int>) -> UInt64? {
    guard text.ends(word, ":") else { return nil }
    let digits = word.dropLast()
    let point = text.first(".", in: digits)
    guard point < digits.upperBound else { return text.number(digits) }
    let decimals = (point + 1)..<digits.upperBound
    guard decimals.count == 6, let seconds = text.number(digits.lowerBound..<point, as: UInt64.self),
      let microseconds = text.number(decimals, as: UInt64.self)
    else { return nil }
    let (nanoseconds, overflows) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    return overflows ? nil : nanoseconds &+ microseconds * 1000
  }
}
