import Glibc
public import SystemPackage

/// Reads files of the host: never more than was asked for, and never waiting for what may not come.
public enum HostFile {
  /// How many bytes a path may have (PATH_MAX of linux/limits.h, without the NUL). Longer ones lead nowhere, and taking one
  /// apart (`FilePath`) takes time with the square of its length.
  public static let longestPath = 4095
  /// How many bytes a name in a directory may have (NAME_MAX of linux/limits.h).
  public static let longestName = 255

  /// All of a file.
  ///
  /// - Parameters:
  ///   - path: The file's path. A name in a document or a configuration may lead anywhere, so by default what could keep
  ///     the caller waiting is refused: a pipe (fifo(7)), a socket, a terminal without input.
  ///   - limit: How many bytes it may have.
  ///   - acceptsPipes: Whether a pipe is read to its end as well, for a file that a person names. One that nobody has opened
  ///     for writing yet is waited for.
  ///   - patience: How long it may take until a pipe or a device has come to its end; nil for however long.
  /// - Throws: `HostFileError`; `.tooLarge` before anything is read of a file whose size says so, and before more is read
  ///   than one piece past the limit of any other; `.incomplete`.
  public static func read(
    _ path: FilePath, limit: Int, acceptsPipes: Bool = false, patience: Duration? = nil
  ) throws(HostFileError) -> [UInt8] {
    let bytes = try contents(
      of: path, atMost: limit, isWhole: true, acceptsPipes: acceptsPipes, patience: patience)
    guard bytes.count <= limit else { throw .tooLarge(limit: limit) }
    return bytes
  }

  /// The first bytes of a file, which may have more: of one of the kernel's in procfs or sysfs, mostly.
  ///
  /// - Parameters:
  ///   - path: The file's path.
  ///   - count: How many bytes are wanted at the most.
  /// - Throws: `HostFileError`, other than `.tooLarge`.
  public static func beginning(of path: FilePath, count: Int) throws(HostFileError) -> [UInt8] {
    Array(try contents(of: path, atMost: count, acceptsPipes: false).prefix(count))
  }

  /// The text at the beginning of a small file of the kernel's, without the newlines at its end.
  ///
  /// - Parameters:
  ///   - path: The file's path.
  ///   - count: How many bytes of it are wanted at the most.
  /// - Returns: nil where it cannot be read.
  public static func text(_ path: FilePath, atMost count: Int = 65_536) -> String? {
    guard let bytes = try? beginning(of: path, count: count) else { return nil }
    var text = String(decoding: bytes, as: UTF8.self)
    while text.last?.isNewline == true { text.removeLast() }
    return text
  }

  /// What kind of file a path leads to, symbolic links followed.
  public enum Kind: Hashable, Sendable {
    /// A regular file.
    case regular
    /// A directory.
    case directory
    /// A device, a pipe or a socket.
    case special
  }

  /// What kind of file is there (stat(2)).
  ///
  /// - Parameter path: The file's path.
  /// - Returns: nil where nothing is there, or this user may not know.
  public static func kind(of path: FilePath) -> Kind? {
    var status = stat()
    // Sound: the path is NUL-terminated and outlives the call, which fills in the one structure that it is given.
    guard unsafe path.withPlatformString({ unsafe stat($0, &status) }) == 0 else { return nil }
    switch status.st_mode & S_IFMT {
    case S_IFREG: return .regular
    case S_IFDIR: return .directory
    default: return .special
    }
  }

  /// Whether something is there that this user may know of.
  public static func exists(_ path: FilePath) -> Bool {
    // Sound: the path is NUL-terminated and outlives the call.
    unsafe path.withPlatformString { unsafe access($0, F_OK) } == 0
  }

  /// Removes a file; nothing where there is none.
  public static func remove(_ path: FilePath) {
    // Sound: as above.
    unsafe path.withPlatformString { _ = unsafe unlink($0) }
  }

  /// The path of a file without symbolic links (realpath(3)); nil where nothing is there.
  public static func resolved(_ path: FilePath) -> FilePath? {
    // Sound: the call returns a string that it has allocated, which is copied and then freed, once.
    unsafe path.withPlatformString { path in
      guard let name = unsafe realpath(path, nil) else { return nil }
      defer { unsafe free(name) }
      return unsafe FilePath(platformString: name)
    }
  }

  /// The names in a directory, sorted, without those that begin with a dot; none where it cannot be read.
  public static func names(in path: FilePath) -> [String] {
    // Sound: the path is NUL-terminated; the stream is closed once, after its last use; an entry is copied before the next
    // is read, and the kernel ends each name with NUL.
    unsafe path.withPlatformString { path in
      guard let directory = unsafe opendir(path) else { return [] }
      defer { unsafe _ = closedir(directory) }
      var names: [String] = []
      while let entry = unsafe readdir(directory) {
        let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { unsafe [UInt8]($0.prefix { $0 != 0 }) }
        names.append(String(decoding: name, as: UTF8.self))
      }
      return names.filter { !$0.hasPrefix(".") }.sorted()
    }
  }

  /// Opens a file to be read piece by piece.
  ///
  /// - Parameter path: The file's path.
  /// - Returns: An open file, which the caller closes.
  /// - Throws: `HostFileError` for what `read` refuses.
  public static func open(_ path: FilePath) throws(HostFileError) -> FileDescriptor {
    try open(path, acceptsPipes: false)
  }

  static func open(_ path: FilePath, acceptsPipes: Bool) throws(HostFileError) -> FileDescriptor {
    do {
      // Without O_NONBLOCK, opening a pipe waits for somebody to write to it.
      let file = try FileDescriptor.open(path, .readOnly, options: [.nonBlocking, .closeOnExec])
      do {
        guard try acceptsPipes || !mayKeepWaiting(file) else { throw HostFileError.pipe }
        return file
      } catch {
        try? file.close()
        throw error
      }
    } catch let error as HostFileError {
      throw error
    } catch {
      throw .unreadable(error as? Errno ?? .ioError)
    }
  }

  private static let pieceSize = 1 << 20

  /// A file's bytes, to the end or until there are more than `limit`.
  ///
  /// - Parameter isWhole: whether it is of no use in part.
  private static func contents(
    of path: FilePath, atMost limit: Int, isWhole: Bool = false, acceptsPipes: Bool, patience: Duration? = nil
  ) throws(HostFileError) -> [UInt8] {
    let end = patience.map { ContinuousClock.now + $0 }
    let file = try open(path, acceptsPipes: acceptsPipes)
    defer { try? file.close() }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: limit < pieceSize ? limit + 1 : pieceSize)
    do {
      let status = try status(of: file)
      let isRegular = status.st_mode & S_IFMT == S_IFREG
      if isWhole, isRegular, status.st_size > limit { throw HostFileError.tooLarge(limit: limit) }
      while bytes.count <= limit {
        // A device, or a pipe's writer, may have something more every time.
        if let end, !isRegular, end <= .now { throw HostFileError.incomplete }
        do {
          // Sound: the call writes at most as many bytes as the buffer has, which is valid during the call.
          let count = try unsafe piece.withUnsafeMutableBytes { try unsafe file.read(into: $0) }
          if count == 0 {
            guard try acceptsPipes && lacksWriter(file, at: path) else { break }
            guard try waitForInput(file, until: end) else { throw HostFileError.incomplete }
            continue
          }
          try makeRoom(for: count, in: &bytes, atMost: limit + pieceSize)
          bytes += piece[..<count]
        } catch Errno.resourceTemporarilyUnavailable where acceptsPipes {
          guard try waitForInput(file, until: end) else { throw HostFileError.incomplete }
        }
      }
    } catch let error as HostFileError {
      throw error
    } catch {
      throw .unreadable(error as? Errno ?? .ioError)
    }
    return bytes
  }

  /// Has an array grow, if this process may have the memory (`ulimit -v`): an array that cannot grow ends the process.
  ///
  /// - Parameters:
  ///   - count: how many bytes are to be appended.
  ///   - bytes: the array.
  ///   - limit: how many bytes it will have at the most; nil where that is not known.
  /// - Throws: `Errno.noMemory`.
  public static func makeRoom(
    for count: Int, in bytes: inout [UInt8], atMost limit: Int? = nil
  ) throws(Errno) {
    let wanted = bytes.count + count
    guard wanted > bytes.capacity else { return }
    let double = 2 * bytes.capacity
    // Near its limit it gets all at once: to grow takes old and new at the same time.
    let capacity = max(wanted, limit.map { double <= $0 / 2 ? double : $0 } ?? double)
    // Sound: what is allocated is let go of at once, and never touched.
    guard let room = unsafe malloc(capacity + pieceSize) else { throw .noMemory }
    unsafe free(room)
    bytes.reserveCapacity(capacity)
  }

  static func status(of file: FileDescriptor) throws(Errno) -> stat {
    var status = stat()
    // Sound: the call fills in the one structure that it is given.
    guard unsafe fstat(file.rawValue, &status) == 0 else { throw Errno(rawValue: errno) }
    return status
  }
}
