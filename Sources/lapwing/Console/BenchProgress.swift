import Glibc

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
    if isTerminal { write("\(Self.eraseLine)round \(round) of \(rounds)  \(id)") }
  }

  /// Takes the line away.
  func end() {
    if isTerminal { write(Self.eraseLine) }
  }

  private func write(_ text: String) {
    let bytes = Array(text.utf8)
    // Sound: the buffer is valid during the call. Progress that nobody reads is lost.
    _ = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }
}
