import CSupport
import Synchronization
public import SystemPackage

/// Where programs of this host connect to: a TCP port of the loopback interface, or a UNIX socket (unix(7)).
public final class LocalListener: Sendable {
  /// An address that programs of this host reach and others do not.
  public enum Address: Hashable, Sendable {
    /// A TCP port of 127.0.0.1.
    case port(UInt16)
    /// A socket in the file system, which its user alone may open.
    case path(FilePath)
  }

  /// Where it listens: the port that was free, where none was asked for.
  public let address: Address

  private let descriptor: FileDescriptor
  /// The file that it made.
  private let file: csupport_file?
  private let isClosed = Atomic<Bool>(false)

  /// Listens.
  ///
  /// - Parameter address: Where; port 0 for one that is free. A socket of this user's that nobody listens to any more is
  ///   replaced.
  /// - Throws: `EADDRINUSE` where somebody listens already, `EEXIST` where the path is something else's, `EPERM` where it is
  ///   another user's socket, `ENAMETOOLONG` for a path of more than 107 bytes, `EACCES` for a port below 1024, and others
  ///   of bind(2).
  public init(_ address: Address) throws(Errno) {
    switch address {
    case .port(let port):
      var bound: UInt16 = 0
      // Sound: the shim writes the one integer.
      descriptor = try owned(unsafe csupport_listen_loopback(port, &bound))
      self.address = .port(bound)
      file = nil
    case .path(let path):
      var made = csupport_file()
      // Sound: the path is NUL-terminated and outlives the call, and the shim writes the one structure.
      descriptor = try owned(
        unsafe path.withPlatformString { path in unsafe csupport_listen_local(path, &made) })
      self.address = address
      file = made
    }
  }

  deinit { close() }

  /// Listens no longer, and removes the socket's file. Nobody waits for a connection by then.
  public func close() {
    guard !isClosed.exchange(true, ordering: .acquiringAndReleasing) else { return }
    try? descriptor.close()
    if case .path(let path) = address, var file {
      // Sound: the path is NUL-terminated and outlives the call, and the shim reads the one structure.
      unsafe path.withPlatformString { path in unsafe csupport_remove_local(path, &file) }
    }
  }

  /// A descriptor that can be read while somebody waits to be taken; valid as long as this value lives.
  public var rawDescriptor: Int32 { descriptor.rawValue }

  /// Takes a connection.
  ///
  /// - Returns: nil where nobody waits, or whoever did has gone.
  /// - Throws: `EMFILE` or `ENFILE` where there is no descriptor left.
  public func accept() throws(Errno) -> LocalConnection? {
    let answer = csupport_accept(descriptor.rawValue)
    if answer >= 0 { return LocalConnection(FileDescriptor(rawValue: answer)) }
    switch Errno(rawValue: -answer) {
    case .tooManyOpenFiles, .tooManyOpenFilesInSystem: throw Errno(rawValue: -answer)
    default: return nil
    }
  }
}

private func owned(_ answer: Int32) throws(Errno) -> FileDescriptor {
  guard answer >= 0 else { throw Errno(rawValue: -answer) }
  return FileDescriptor(rawValue: answer)
}
