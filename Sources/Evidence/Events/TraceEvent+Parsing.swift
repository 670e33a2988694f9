import APIC

extension TraceEvent {
  /// How wide the command's name before the thread's id is (kernel, `trace_print_context`). It may contain anything.
  private static let commandWidth = 16

  /// The event of a line of trace text; nil for any other line.
  ///
  /// The line is `COMMAND-THREAD [PROCESSOR] FLAGS TIME: NAME: TEXT`; there may be a process id before the processor,
  /// and there may be no flags.
  init?(line: ArraySlice<UInt8>) {
    var rest = line.dropFirst(Self.commandWidth)
    guard rest.popFirst() == UInt8(ascii: "-"), let thread = rest.takeWord()?.number(Int32.self),
      var word = rest.takeWord()
    else { return nil }
    if word.first == UInt8(ascii: "(") {
      while !word.ends(")") {
        guard let next = rest.takeWord() else { return nil }
        word = next
      }
      guard let next = rest.takeWord() else { return nil }
      word = next
    }
    guard word.first == UInt8(ascii: "["), word.ends("]"),
      let processor = word.dropFirst().dropLast().number(Int.self), var word = rest.takeWord()
    else { return nil }
    if !word.ends(":") {
      guard let next = rest.takeWord() else { return nil }
      word = next
    }
    guard let time = Self.time(word), let label = rest.takeWord(), label.ends(":"),
      let name = TraceConfiguration.name(label.dropLast()), let detail = Detail(name: name, text: rest)
    else { return nil }
    self.init(time: time, thread: thread, processor: processor, name: name, detail: detail)
  }

  /// A plain number, or seconds with six decimals, both with a colon behind.
  private static func time(_ word: TraceWord) -> UInt64? {
    guard word.ends(":") else { return nil }
    let digits = word.dropLast()
    guard let point = digits.firstIndex(of: UInt8(ascii: ".")) else { return digits.number() }
    let decimals = digits[(point + 1)...]
    guard decimals.count == 6, let seconds = digits[..<point].number(UInt64.self),
      let microseconds = decimals.number(UInt64.self)
    else { return nil }
    let (nanoseconds, overflows) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    return overflows ? nil : nanoseconds &+ microseconds * 1000
  }
}
