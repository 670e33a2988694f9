import Foundation
import Testing

/// A pseudo-terminal (pty(7)): what a program writes to one end is read from the other.
struct Terminal {
  /// The end that is a terminal to a program.
  let end: FileHandle
  private let primary: FileHandle

  /// TIOCGPTN and TIOCSPTLCK of asm-generic/ioctls.h, which Swift does not import.
  private static let getNumber: UInt = 0x8004_5430
  private static let setLock: UInt = 0x4004_5431

  init() throws {
    primary = try #require(FileHandle(forUpdatingAtPath: "/dev/ptmx"))
    var (number, isLocked) = (Int32(0), Int32(0))
    // Sound: both calls read or write one Int32.
    try #require(unsafe ioctl(primary.fileDescriptor, Self.setLock, &isLocked) == 0)
    try #require(unsafe ioctl(primary.fileDescriptor, Self.getNumber, &number) == 0)
    end = try #require(FileHandle(forUpdatingAtPath: "/dev/pts/\(number)"))
  }

  /// Types a text.
  func type(_ text: String) throws { try primary.write(contentsOf: Data(text.utf8)) }

  /// Sets its size, which a program is to notice.
  func resize(rows: UInt16, columns: UInt16) throws {
    var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
    // Sound: the call reads the one structure.
    try #require(unsafe ioctl(primary.fileDescriptor, UInt(TIOCSWINSZ), &size) == 0)
  }

  /// Whether keys are handed over as they come, and not shown: as a view has it.
  var isRaw: Bool {
    var state = termios()
    // Sound: the call fills in the one structure.
    return unsafe tcgetattr(end.fileDescriptor, &state) == 0 && state.c_lflag & tcflag_t(ICANON) == 0
  }

  /// What has been written to it; waits where there is nothing yet.
  var text: String { String(decoding: primary.availableData, as: UTF8.self) }

  /// Reads what is written to it, until that has a text in it.
  ///
  /// - Returns: what was read; an issue where the text does not come within a minute.
  func read(until text: String) throws -> String {
    let deadline = ContinuousClock.now + .seconds(60)
    var seen = ""
    while !seen.contains(text) {
      var wanted = pollfd(fd: primary.fileDescriptor, events: Int16(POLLIN), revents: 0)
      // Sound: the call reads and writes the one structure.
      if unsafe poll(&wanted, 1, 100) > 0 { seen += String(decoding: primary.availableData, as: UTF8.self) }
      try #require(.now < deadline, "'\(text)' did not come; there is \(seen)")
    }
    return seen
  }
}
