public import SystemPackage

/// Why a file of the host's was not read.
public enum HostFileError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The operating system says no: open(2), fstat(2) or read(2).
  case unreadable(Errno)
  /// It is a pipe or a socket, which may keep its reader waiting.
  case pipe
  /// It is a pipe or a device that did not come to its end in time.
  case incomplete
  /// It has more bytes than it may.
  case tooLarge(limit: Int)

  /// What is wrong, for a person.
  public var description: String {
    switch self {
    case .unreadable(let errno): "\(errno)"
    case .pipe: "it is a pipe, not a file"
    case .incomplete: "it did not come to its end before the time limit: it is a pipe or a device"
    case .tooLarge(let limit): "it is larger than \(ByteSize(bytes: UInt64(max(limit, 0))))"
    }
  }
}
