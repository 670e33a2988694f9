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

  /// What has been written to it; waits where there is nothing yet.
  var text: String { String(decoding: primary.availableData, as: UTF8.self) }
}
