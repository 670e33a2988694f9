import CSupport
import Glibc
public import SystemPackage

/// A UNIX socket of this user's that listens at a path (unix(7)). Its file goes with it.
public final class LocalListener: Sendable {
  private let descriptor: FileDescriptor
  private let path: FilePath
  private let identity: FileIdentity?

  /// What tells a file from every other.
  private struct FileIdentity: Equatable {
    var device: UInt64
    var inode: UInt64

    init?(_ path: FilePath) {
      var id: (UInt64, UInt64) = (0, 0)
      // Sound: the path outlives the call, which fills in the two integers, one behind the other.
      let answer = unsafe path.withPlatformString { path in
        unsafe withUnsafeMutablePointer(to: &id) { pointer in
          unsafe pointer.withMemoryRebound(to: UInt64.self, capacity: 2) { unsafe csupport_file_id(path, $0) }
        }
      }
      guard answer == 0 else { return nil }
      (device, inode) = id
    }
  }

  /// Listens at a path. A socket that nobody listens at any more is replaced; nothing else is.
  ///
  /// - Parameter path: at most 107 bytes.
  /// - Throws: `LocalSocketError`.
  public init(_ path: FilePath) throws(LocalSocketError) {
    var answer = Self.listen(path)
    if answer == -EADDRINUSE {
      // Sound: the path is NUL-terminated and outlives the call.
      let isHeard = unsafe path.withPlatformString { unsafe csupport_is_heard($0) }
      switch isHeard {
      case 0: HostFile.remove(path)
      case 1: throw .inUse
      case -ENOTSOCK: throw .notSocket
      default: throw .failed(Errno(rawValue: -isHeard))
      }
      answer = Self.listen(path)
    }
    guard answer >= 0 else { throw answer == -ENAMETOOLONG ? .tooLong : .failed(Errno(rawValue: -answer)) }
    descriptor = FileDescriptor(rawValue: answer)
    self.path = path
    identity = FileIdentity(path)
  }

  deinit {
    remove()
    try? descriptor.close()
  }

  /// Removes its file: nobody can connect any more. Another's that has taken its place stays.
  public func remove() {
    if let identity, identity == FileIdentity(path) { HostFile.remove(path) }
  }

  private static func listen(_ path: FilePath) -> Int32 {
    // Sound: the path is NUL-terminated and outlives the call.
    unsafe path.withPlatformString { unsafe csupport_listen($0) }
  }

  /// A descriptor that can be read while somebody wants to connect; valid as long as this value lives.
  public var rawDescriptor: Int32 { descriptor.rawValue }

  /// The connection of somebody who waits for one; nil where nobody does, or the process has no descriptor left.
  public func accept() -> LocalConnection? {
    let answer = csupport_accept(descriptor.rawValue)
    return answer < 0 ? nil : LocalConnection(FileDescriptor(rawValue: answer))
  }
}

/// A connection of such a socket, on which nothing waits.
public final class LocalConnection: Sendable {
  private let descriptor: FileDescriptor

  init(_ descriptor: FileDescriptor) { self.descriptor = descriptor }
  deinit { try? descriptor.close() }

  /// A descriptor for poll(2); valid as long as this value lives.
  public var rawDescriptor: Int32 { descriptor.rawValue }

  /// What has come.
  ///
  /// - Parameter limit: how many bytes at the most.
  /// - Returns: none where nothing has come yet; nil where nothing more will.
  public func receive(atMost limit: Int) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: limit)
    do {
      // Sound: the call writes at most as many bytes as the buffer has.
      let count = try unsafe bytes.withUnsafeMutableBytes { try unsafe descriptor.read(into: $0) }
      return count == 0 ? nil : Array(bytes[..<count])
    } catch Errno.resourceTemporarilyUnavailable {
      return []
    } catch {
      return nil
    }
  }

  /// Sends what there is room for.
  ///
  /// - Returns: how many bytes; nil where the other side has gone.
  public func send(_ bytes: ArraySlice<UInt8>) -> Int? {
    // Sound: the call reads as many bytes as the buffer has.
    let sent = unsafe bytes.withUnsafeBytes { unsafe csupport_send(descriptor.rawValue, $0.baseAddress, $0.count) }
    return sent >= 0 ? sent : sent == -Int(EAGAIN) ? 0 : nil
  }
}

/// Why no socket listens at a path.
public enum LocalSocketError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Somebody listens there.
  case inUse
  /// Something is there that is no socket.
  case notSocket
  /// The path is longer than the address of a socket may be.
  case tooLong
  /// The operating system says no: bind(2), mostly.
  case failed(Errno)

  /// What is wrong, for a person.
  public var description: String {
    switch self {
    case .inUse: "another process listens there"
    case .notSocket: "something is there that is no socket, and stays"
    case .tooLong: "the path of a socket has at most 107 bytes"
    case .failed(let errno): "\(errno)"
    }
  }
}
