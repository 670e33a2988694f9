import Glibc
public import SystemPackage

/// A file that a person names, or standard input, read from its beginning to its end, whatever its size.
public final class FileInput: Sendable {
  private let file: FileDescriptor
  /// Where it was opened; nil for standard input, which stays open.
  private let path: FilePath?

  /// Opens a file; a pipe too, also one that nobody has opened for writing yet.
  ///
  /// - Parameter path: the file's path.
  /// - Throws: `HostFileError`.
  public init(_ path: FilePath) throws(HostFileError) {
    file = try HostFile.open(path, acceptsPipes: true)
    self.path = path
  }

  private init(standardInput: FileDescriptor) {
    file = standardInput
    path = nil
  }

  /// Standard input, which stays open.
  public static var standardInput: FileInput { FileInput(standardInput: .standardInput) }

  deinit {
    if path != nil { try? file.close() }
  }

  /// Reads what is there, and waits where a pipe has nothing yet.
  ///
  /// - Parameter buffer: where it goes.
  /// - Returns: how many bytes; 0 at the end.
  /// - Throws: `Errno` of read(2).
  public func read(into buffer: inout [UInt8]) throws(Errno) -> Int {
    while true {
      // Sound: the call writes at most as many bytes as the buffer has, which is valid during the call.
      let count = unsafe buffer.withUnsafeMutableBytes { unsafe Glibc.read(file.rawValue, $0.baseAddress, $0.count) }
      if count > 0 { return count }
      if count == 0 {
        guard let path, try HostFile.lacksWriter(file, at: path) else { return 0 }
        _ = try HostFile.waitForInput(file)
        continue
      }
      switch Errno(rawValue: errno) {
      case .interrupted: continue
      case .resourceTemporarilyUnavailable: _ = try HostFile.waitForInput(file)
      case let error: throw error
      }
    }
  }
}

extension FileDescriptor {
  /// Reads so many bytes of a file, wherever it stands (pread(2)).
  ///
  /// - Parameters:
  ///   - count: how many bytes, 0 or more: as many are made room for.
  ///   - offset: from where on, in bytes from the file's beginning.
  /// - Throws: `Errno`; `.ioError` where the file ends before.
  public func readAll(_ count: Int, fromAbsoluteOffset offset: Int64) throws(Errno) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var done = 0
    do {
      while done < count {
        // Sound: the call writes at most as many bytes as the rest of the buffer has, which is valid during the call.
        let part = try unsafe bytes.withUnsafeMutableBytes {
          try unsafe read(
            fromAbsoluteOffset: offset + Int64(done), into: UnsafeMutableRawBufferPointer(rebasing: $0[done...]))
        }
        guard part > 0 else { throw Errno.ioError }
        done += part
      }
    } catch {
      throw error as? Errno ?? .ioError
    }
    return bytes
  }
}

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

  /// Whether this process, or the host, has no descriptor left, which says nothing of the file.
  public var isShortage: Bool {
    if case .unreadable(let errno) = self { errno.isOfDescriptors } else { false }
  }

  /// What is wrong, for a person.
  public var description: String {
    switch self {
    case .unreadable(let errno): errno.withAdvice
    case .pipe: "it is a pipe, not a file"
    case .incomplete: "it did not come to its end before the time limit: it is a pipe or a device"
    case .tooLarge(let limit): "it is larger than \(ByteSize(bytes: UInt64(max(limit, 0))))"
    }
  }
}

extension Errno {
  /// Whether this process, or the host, has no descriptor left, which says nothing of a file.
  public var isOfDescriptors: Bool { self == .tooManyOpenFiles || self == .tooManyOpenFilesInSystem }

  /// What it says, and what to do where descriptors have run out.
  public var withAdvice: String { isOfDescriptors ? "\(self); raise the limit on descriptors (ulimit -n)" : "\(self)" }
}
