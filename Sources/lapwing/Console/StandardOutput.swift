import Glibc
import Reports
import Support
import SystemPackage

/// Standard output: what the user asked for.
enum StandardOutput {
  /// Colour only on a terminal, and not where NO_COLOR is set (no-color.org).
  static var style: Style {
    Style(hasColor: isatty(STDOUT_FILENO) == 1 && environment("NO_COLOR") == nil && environment("TERM") != "dumb")
  }

  /// Writes a text and a newline.
  ///
  /// - Parameter text: what was made of `TextLine`s, or a document for programs. Should a control character have got into
  ///   it nevertheless, the terminal does not get that.
  /// - Throws: why not all of it was taken.
  static func print(_ text: String) throws(Errno) {
    let bytes = Array((Escape.inLines(text) + "\n").utf8)
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = write(rest)
      if count < 0 { throw Errno(rawValue: errno) }
      rest = rest.dropFirst(count)
    }
  }

  /// Writes lines as long as that takes no waiting, so that a reader who has gone to sleep holds nobody up; what is left
  /// stays in `lines`. What cannot be written is lost.
  static func offer(_ lines: inout [TextLine]) {
    var written = 0
    while written < lines.count, isReady {
      try? print(lines[written].text)
      written += 1
    }
    lines.removeFirst(written)
  }

  /// Whether a line can be written without waiting: a pipe that is ready takes 4096 bytes at once (PIPE_BUF, pipe(7)).
  private static var isReady: Bool {
    var descriptor = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
    return unsafe poll(&descriptor, 1, 0) > 0
  }

  /// Writes some of the bytes: how many, 0 where a signal came first, -1 where nobody reads any more.
  static func write(_ bytes: ArraySlice<UInt8>) -> Int {
    // Sound: the buffer is valid during the call.
    let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
    return count >= 0 ? count : errno == EINTR ? 0 : -1
  }

  private static func environment(_ name: String) -> String? {
    guard let value = unsafe getenv(name) else { return nil }
    let text = unsafe String(cString: value)
    return text.isEmpty ? nil : text
  }
}

/// Standard error: what went wrong.
enum StandardError {
  /// Writes a line.
  static func print(_ line: TextLine) {
    let bytes = Array((line.text + "\n").utf8)
    // Sound: the buffer is valid during the call. There is nowhere to say that this failed.
    _ = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }
}
