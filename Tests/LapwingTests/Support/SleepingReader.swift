import Foundation
import Testing

/// A pipe that is full and that nobody reads.
final class SleepingReader {
  private let pipe = Pipe()

  /// Where a program writes to and waits for ever.
  var end: FileHandle { pipe.fileHandleForWriting }

  init() throws {
    let descriptor = end.fileDescriptor
    try #require(fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0)
    let page = [UInt8](repeating: 0, count: 4096)
    // Sound: the array is valid during each call.
    while unsafe page.withUnsafeBytes({ unsafe write(descriptor, $0.baseAddress, $0.count) }) > 0 {}
    try #require(errno == EAGAIN)
    try #require(fcntl(descriptor, F_SETFL, 0) == 0)
  }
}
