import Glibc
import Reports
import Support

/// What a person sees while the suite runs: one line that changes on a terminal, a line a run elsewhere.
struct SuiteProgress {
  private let planned: Int
  private let descriptor: Int32
  private let style: Style
  private var ended = 0
  private var failed = 0
  private var shown = TextLine()
  private var waiting: [TextLine] = []

  /// Progress of so many runs, on standard error where standard output is a program's.
  init(planned: Int, toErrors: Bool) {
    self.planned = planned
    descriptor = toErrors ? STDERR_FILENO : STDOUT_FILENO
    style =
      toErrors ? Style(hasColor: isatty(STDERR_FILENO) == 1 && StandardOutput.style.hasColor) : StandardOutput.style
  }

  private var isTerminal: Bool { isatty(descriptor) == 1 }

  /// Shows what has ended and what runs.
  mutating func show(_ reports: [CaseReport], running: [String]) {
    for report in reports {
      ended += 1
      if report.verdict == .failed { failed += 1 }
      let line = report.line(style)
      if report.verdict != .failed, isTerminal { continue }
      waiting.append(line)
      shown = TextLine()
    }
    while !waiting.isEmpty, isReady { writeLine(waiting.removeFirst()) }
    guard isTerminal, waiting.isEmpty, isReady else { return }
    let failures = failed > 0 ? ", \(failed) FAILED" : ""
    let line = "\(ended) of \(planned)\(failures)  " + running.map { TextLine($0) }.joined(separator: ", ")
    guard line != shown else { return }
    shown = line
    write(Self.eraseLine + String(line.text.unicodeScalars.prefix(columns - 1)))
  }

  /// Takes the line away, and shows what found no reader so far.
  mutating func end() {
    for line in waiting { writeLine(line) }
    waiting = []
    if isTerminal { write(Self.eraseLine) }
  }

  /// Whether a line can be written without waiting: a reader who has gone to sleep holds no case up.
  private var isReady: Bool { OutputDescriptor.isReady(descriptor) }

  /// ECMA-48, EL, from the first column.
  private static let eraseLine = "\r\u{1b}[2K"

  private var columns: Int {
    var size = winsize()
    return unsafe ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
  }

  /// A line that stays, in place of the one that changes.
  private func writeLine(_ line: TextLine) { write((isTerminal ? Self.eraseLine : "") + line.text + "\n") }

  private func write(_ text: String) {
    guard descriptor != STDOUT_FILENO else { return StandardOutput.write(text) }
    StandardError.write(text)
  }
}

/// What a person sees while measurements are taken: one line that changes on a terminal, nothing elsewhere.
///
/// It goes to standard error, so that it never gets into a report.
struct BenchProgress {
  private let rounds: Int
  private let isTerminal = isatty(STDERR_FILENO) == 1
  private static let eraseLine = "\r\u{1b}[2K"

  /// Progress of so many rounds.
  init(rounds: Int) {
    self.rounds = rounds
  }

  /// Shows what is being measured.
  func show(_ round: Int, _ id: String) {
    guard isTerminal, OutputDescriptor.isReady(STDERR_FILENO) else { return }
    write("\(Self.eraseLine)round \(round) of \(rounds)  \(id)")
  }

  /// Takes the line away.
  func end() {
    if isTerminal { write(Self.eraseLine) }
  }

  private func write(_ text: String) { StandardError.write(text) }
}
