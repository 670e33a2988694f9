import Glibc
import Reports

/// Standard output: what the user asked for.
enum StandardOutput {
  /// Colour only on a terminal, and not where NO_COLOR is set (no-color.org).
  static var style: Style {
    Style(hasColor: isatty(STDOUT_FILENO) == 1 && environment("NO_COLOR") == nil && environment("TERM") != "dumb")
  }

  /// Writes a line.
  static func print(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    var rest = bytes[...]
    while !rest.isEmpty {
      guard let count = write(rest) else { return }
      rest = rest.dropFirst(count)
    }
  }

  /// Writes some of the bytes: how many, 0 where a signal came first, nil where they cannot be written.
  static func write(_ bytes: ArraySlice<UInt8>) -> Int? {
    // Sound: the buffer is valid during the call.
    let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
    return count >= 0 ? count : errno == EINTR ? 0 : nil
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
  static func print(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    // Sound: the buffer is valid during the call. There is nowhere to say that this failed.
    _ = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }
}
