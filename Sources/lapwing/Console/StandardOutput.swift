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
  /// - Throws: why not all of it was taken; `.canceled` where a signal that is held back has come before a reader.
  static func print(_ text: String) throws(Errno) { try writeAll(Escape.inLines(text) + "\n") }

  /// Writes a text; that it was not taken is told at the end (`loss`).
  static func write(_ text: String) { try? writeAll(Escape.inLines(text)) }

  private static func writeAll(_ text: String) throws(Errno) {
    let bytes = Array(text.utf8)
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = write(rest)
      if count < 0 { throw loss ?? .canceled }
      rest = rest.dropFirst(count)
    }
  }

  /// Writes lines as long as that takes no waiting, so that a reader who has gone to sleep holds nobody up; what is left
  /// stays in `lines`. What cannot be written is lost.
  static func offer(_ lines: inout [TextLine]) {
    var written = 0
    while written < lines.count, OutputDescriptor.isReady(STDOUT_FILENO) {
      try? print(lines[written].text)
      written += 1
    }
    lines.removeFirst(written)
  }

  /// Writes some of the bytes: how many, 0 where it is to be tried again, -1 where nobody reads any more, or a signal that is
  /// held back has come before a reader.
  static func write(_ bytes: ArraySlice<UInt8>) -> Int {
    do throws(Errno) {
      return try OutputDescriptor.write(bytes, to: STDOUT_FILENO)
    } catch {
      // What is not shown because of a signal is no loss: the report is still to come.
      if error != .canceled { firstLoss.withLock { if $0 == nil { $0 = error } } }
      return -1
    }
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
      guard let count = try? OutputDescriptor.write(rest, to: STDERR_FILENO) else { return }
      rest = rest.dropFirst(count)
    }
  }
}
