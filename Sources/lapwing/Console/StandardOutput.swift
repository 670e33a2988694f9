import Glibc
import Reports
import Support
import Synchronization
import SystemPackage

/// Standard output: what the user asked for.
enum StandardOutput {
  /// Colour only on a terminal, and not where NO_COLOR is set (no-color.org).
  static var style: Style {
    Style(hasColor: isatty(STDOUT_FILENO) == 1 && environment("NO_COLOR") == nil && environment("TERM") != "dumb")
  }

  /// Whether the terminal obeys more than line breaks.
  static var obeysMoves: Bool { environment("TERM").map { $0 != "dumb" } ?? false }

  private static let firstLoss = Mutex<Errno?>(nil)

  /// Why something that was to be written was not taken; nil where all was.
  static var loss: Errno? { firstLoss.withLock { $0 } }

  /// Writes a text and a newline.
  ///
  /// - Parameter text: what was made of `TextLine`s, or a document for programs. Should a control character have got into
  ///   it nevertheless, the terminal does not get that.
  /// - Throws: why not all of it was taken.
  static func print(_ text: String) throws(Errno) { try writeAll(Escape.inLines(text) + "\n") }

  /// Writes a text; that it was not taken is told at the end (`loss`).
  static func write(_ text: String) { try? writeAll(Escape.inLines(text)) }

  private static func writeAll(_ text: String) throws(Errno) {
    let bytes = Array(text.utf8)
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = write(rest)
      if count < 0 { throw loss ?? .ioError }
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
    if count >= 0 { return count }
    let error = Errno(rawValue: errno)
    if error == .interrupted || error == .resourceTemporarilyUnavailable && waitForReader(STDOUT_FILENO) { return 0 }
    firstLoss.withLock { if $0 == nil { $0 = error } }
    return -1
  }

  /// Waits until a descriptor takes more, or a signal comes: somebody who shares it may have made it one that does not wait
  /// (O_NONBLOCK).
  ///
  /// - Returns: false where it cannot be waited for.
  static func waitForReader(_ descriptor: Int32) -> Bool {
    var wanted = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    // Sound: the call reads and writes the one structure that it is given.
    return unsafe poll(&wanted, 1, -1) > 0 || errno == EINTR
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
  static func print(_ line: TextLine) { write(line.text + "\n") }

  /// Writes a text. What cannot be written is lost: there is nowhere to say it.
  static func write(_ text: String) {
    let bytes = Array(text.utf8)
    var rest = bytes[...]
    while !rest.isEmpty {
      // Sound: the buffer is valid during the call.
      let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
      guard
        count > 0 || errno == EINTR || errno == EAGAIN && StandardOutput.waitForReader(STDERR_FILENO)
      else { return }
      rest = rest.dropFirst(max(count, 0))
    }
  }
}
