import Glibc
import Reports
import Support

/// A view on a terminal that is drawn anew in its place. What was on the terminal before is there again afterwards.
///
/// Ctrl-C is a signal as always; Ctrl-Z and Ctrl-\, which would leave the terminal as the view has it, are keys that do
/// nothing.
final class LiveView {
  private let saved: termios
  private var size: (rows: Int, columns: Int) = (0, 0)
  private var isOpen = true
  private(set) var isLeft = false
  /// Whether what is shown is older than what there is to be shown, for want of a reader.
  private var isStale = false

  // ECMA-48, and DEC's private modes: another screen, the cursor's looks; erasing to the end of line and screen.
  private static let enter = "\u{1b}[?1049h\u{1b}[?25l"
  private static let leave = "\u{1b}[?25h\u{1b}[?1049l"
  private static let (home, endOfLine, endOfScreen) = ("\u{1b}[H", "\u{1b}[K\r\n", "\u{1b}[J")

  /// Opens it; nil where standard output or input is no terminal, or a dumb one.
  init?() {
    var state = termios()
    // Sound, here and below: the calls read and write the one structure that they are given.
    guard isatty(STDOUT_FILENO) == 1, isatty(STDIN_FILENO) == 1, StandardOutput.obeysMoves,
      unsafe tcgetattr(STDIN_FILENO, &state) == 0
    else { return nil }
    saved = state
    state.c_lflag &= ~tcflag_t(ICANON | ECHO)
    // VSUSP and VQUIT are no character (_POSIX_VDISABLE); a read takes what is there, one byte and more (VMIN, VTIME).
    (state.c_cc.10, state.c_cc.1, state.c_cc.6, state.c_cc.5) = (0, 0, 1, 0)
    unsafe tcsetattr(STDIN_FILENO, TCSANOW, &state)
    write(Self.enter)
  }

  deinit { close() }

  /// Gives the terminal back; does nothing the second time.
  func close() {
    guard isOpen else { return }
    isOpen = false
    var state = saved
    write(Self.leave)
    unsafe tcsetattr(STDIN_FILENO, TCSANOW, &state)
  }

  /// Draws a report, where it is new or the terminal has another size, and takes note of keys.
  func show(_ report: WatchReport, isNew: Bool) {
    takeKeys()
    var window = winsize()
    var now = (rows: 24, columns: 80)
    if unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &window) == 0, window.ws_row > 0, window.ws_col > 0 {
      now = (Int(window.ws_row), Int(window.ws_col))
    }
    guard isNew || isStale || now != size else { return }
    // A reader who has gone to sleep holds nobody up.
    isStale = !OutputDescriptor.isReady(STDOUT_FILENO)
    guard !isStale else { return }
    size = now
    let hint: TextLine = "q ends"
    let lines = report.lines(StandardOutput.style, rows: now.rows - 1).prefix(now.rows - 1) + [hint]
    let text = lines.map { $0.cut(to: now.columns).text }.joined(separator: Self.endOfLine)
    write(Self.home + text + "\u{1b}[K" + Self.endOfScreen)
  }

  private func takeKeys() {
    while hasKey {
      var byte: UInt8 = 0
      // Sound: the call writes the one byte at most.
      let count = unsafe read(STDIN_FILENO, &byte, 1)
      // The end of input is the terminal's.
      guard count == 1 else {
        isLeft = isLeft || count == 0
        return
      }
      if byte == UInt8(ascii: "q") || byte == UInt8(ascii: "Q") { isLeft = true }
    }
  }

  private var hasKey: Bool {
    var status = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
    return unsafe poll(&status, 1, 0) > 0
  }

  private func write(_ text: String) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = StandardOutput.write(rest)
      guard count >= 0 else { return }
      rest = rest.dropFirst(count)
    }
  }
}
