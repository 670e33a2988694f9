import Glibc
import SystemPackage

/// Files that may keep their reader waiting.
extension HostFile {
  /// Whether it is a pipe or a socket.
  static func mayKeepWaiting(_ file: FileDescriptor) throws(Errno) -> Bool {
    [S_IFIFO, S_IFSOCK].contains(try status(of: file).st_mode & S_IFMT)
  }

  /// Whether it is a named pipe (fifo(7)) that nobody has opened for writing since it was opened for reading: poll(2) tells
  /// of nothing then, and of POLLHUP at the end (kernel, `pipe_poll`). One without a name, which `/dev/fd` leads to, has had a
  /// writer since it was made, and tells of nothing at its end when it is opened anew.
  static func lacksWriter(_ file: FileDescriptor, at path: FilePath) throws(Errno) -> Bool {
    guard try status(of: file).st_mode & S_IFMT == S_IFIFO, resolved(path) != nil else { return false }
    var wanted = pollfd(fd: file.rawValue, events: Int16(POLLIN), revents: 0)
    // Sound: the call reads and writes the one structure that it is given.
    return unsafe poll(&wanted, 1, 0) == 0
  }

  /// Waits for something to read.
  ///
  /// - Parameter end: when to give up; nil for never.
  /// - Returns: whether it is to be tried again.
  /// - Throws: `Errno` of poll(2).
  static func waitForInput(_ file: FileDescriptor, until end: ContinuousClock.Instant? = nil) throws(Errno) -> Bool {
    var wanted = pollfd(fd: file.rawValue, events: Int16(POLLIN), revents: 0)
    let left = end.map { $0 - .now }
    if let left, left <= .zero { return false }
    // Sound: the call reads and writes the one structure that it is given.
    guard
      unsafe poll(&wanted, 1, left.map { Int32(clamping: Int64($0 / .milliseconds(1)) + 1) } ?? -1) >= 0
        || errno == EINTR
    else { throw Errno(rawValue: errno) }
    return true
  }
}
