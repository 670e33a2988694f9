import Glibc
import SystemPackage

/// What a standard stream is written to: a pipe or a terminal whose reader may have gone to sleep, or a file.
enum OutputDescriptor {
  /// A pipe that is ready takes so many bytes at once (PIPE_BUF, pipe(7)).
  private static let portion = 4096
  /// How often it is looked whether a signal has come, in milliseconds.
  private static let period: Int32 = 50

  /// Whether a line can be written without waiting.
  static func isReady(_ descriptor: Int32) -> Bool { wait(descriptor, 0) != 0 }

  /// Writes some of the bytes. Signals that are held back (`InterruptSignals`) would not end a call that waits for a reader,
  /// so none is made before there is one.
  ///
  /// - Returns: how many were taken; 0 where it is to be tried again.
  /// - Throws: the error of write(2); `.canceled` where a signal that is held back has come before the reader.
  static func write(_ bytes: ArraySlice<UInt8>, to descriptor: Int32) throws(Errno) -> Int {
    while wait(descriptor, period) == 0 {
      if InterruptSignals.isOnePending { throw .canceled }
    }
    // Sound: the buffer is valid during the call.
    let count = unsafe bytes.prefix(portion).withUnsafeBytes {
      unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
    }
    if count >= 0 { return count }
    let error = Errno(rawValue: errno)
    // Somebody who shares it may have made it one that does not wait (O_NONBLOCK).
    guard error == .interrupted || error == .resourceTemporarilyUnavailable else { throw error }
    return 0
  }

  /// Waits until a descriptor takes more: 0 where it does not yet; otherwise write(2) says what is the matter.
  private static func wait(_ descriptor: Int32, _ milliseconds: Int32) -> Int32 {
    var wanted = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    // Sound: the call reads and writes the one structure that it is given.
    let count = unsafe poll(&wanted, 1, milliseconds)
    return count < 0 && errno == EINTR ? 0 : count
  }
}
