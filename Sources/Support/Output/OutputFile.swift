import Glibc
public import SystemPackage

/// A file that a person names for an output: it has all of it or is left as it was, however the process ends.
///
/// What is written has no name until it is complete, where the file system has such files (O_TMPFILE, open(2)), and
/// otherwise one that nobody can know before. A pipe or a character device is written in place.
public final class OutputFile: Sendable {
  /// What is written: another path than was named where that is a symbolic link.
  public let path: FilePath
  let permissions: FilePermissions
  let kept: FileOwnership?
  private let stream: FileDescriptor?

  /// Makes sure that a file can be written, and leaves it as it is. It does not wait.
  ///
  /// - Parameters:
  ///   - path: The file's path; `OutputPlace` says what becomes of links.
  ///   - permissions: Those of a file that is not there yet, before the process's mask (umask(2)).
  ///   - acceptsStreams: Whether a pipe or a character device will do.
  /// - Throws: `OutputFileError`.
  public init(
    _ path: FilePath, permissions: FilePermissions, acceptsStreams: Bool = false
  ) throws(OutputFileError) {
    switch try OutputPlace.find(path) {
    case .file(let place, let kept):
      self.path = place
      self.kept = kept
      // Whoever may not read the old file is not to read the new one.
      self.permissions = kept?.permissions ?? permissions
      stream = nil
      _ = try Self.failing { () throws(Errno) in try StagedFile(at: place, permissions: permissions) }
    case .stream(let place):
      guard acceptsStreams else { throw .stream }
      self.path = place
      (self.permissions, kept) = (permissions, nil)
      stream = try Self.openStream(place)
    case .descriptor(let number):
      guard acceptsStreams else { throw .stream }
      self.path = path
      (self.permissions, kept) = (permissions, nil)
      guard fcntl(number, F_GETFL) & O_ACCMODE != O_RDONLY else { throw .failed(.badFileDescriptor) }
      // Another descriptor of the same open file: it writes where the first has come to.
      stream = try Self.failing { () throws(Errno) in try Self.call { try FileDescriptor(rawValue: number).duplicate() }
      }
    }
  }

  deinit { try? stream?.close() }

  /// Whether two paths lead to one file, by whichever links and folders, there already or not. Devices and pipes, into which
  /// several may write, are none.
  public static func leadToOneFile(_ first: FilePath, _ second: FilePath) -> Bool {
    guard let first = place(of: first), let second = place(of: second) else { return false }
    return first == second
  }

  /// What has to be writable for an output.
  public enum Target: Hashable, Sendable {
    /// The folder of a file, in which what takes its place comes to be.
    case folder(FilePath)
    /// A pipe or a device, which is written in place.
    case stream(FilePath)
  }

  /// What has to be writable for an output at a path.
  ///
  /// - Parameter path: its path.
  /// - Returns: nil where nothing has to: for a descriptor that this process has, and where there can be no output.
  public static func target(of path: FilePath) -> Target? {
    switch try? OutputPlace.find(path) {
    case .file(let place, _): .folder(place.folder)
    case .stream(let place): .stream(place)
    case .descriptor, nil: nil
    }
  }

  private static func place(of path: FilePath) -> FilePath? {
    guard case .file(let place, _)? = try? OutputPlace.find(path), let name = place.lastComponent,
      let folder = HostFile.resolved(place.folder)
    else { return nil }
    return folder.appending(name)
  }

  /// Writes all of it; into a file that takes its name at the end, once it is on disk.
  ///
  /// Signals wait meanwhile (`SignalShield`), but not while a pipe's reader is waited for.
  ///
  /// - Parameter body: Writes into the file that it is given.
  /// - Throws: The error of the call that failed, or what `body` throws; a file is as it was then.
  public func write(_ body: (FileDescriptor) throws -> Void) throws {
    if let stream { return try body(stream) }
    try SignalShield.hold { () throws(any Error) in
      var staged = try stage(body)
      try staged.commit()
    }
  }

  /// Writes all of it, and leaves the file as it is until that is committed: for what consists of several files. Signals
  /// are to be held from before until after (`SignalShield`).
  ///
  /// - Parameter body: Writes into the file that it is given.
  /// - Returns: What takes the file's place.
  /// - Throws: The error of the call that failed, or what `body` throws.
  public func stage(_ body: (FileDescriptor) throws -> Void) throws -> StagedFile {
    var staged = try StagedFile(at: path, permissions: permissions)
    kept?.give(to: staged.descriptor)
    try staged.fill(body)
    return staged
  }

  private static func openStream(_ path: FilePath) throws(OutputFileError) -> FileDescriptor {
    let file: FileDescriptor
    do throws(Errno) {
      // Without O_NONBLOCK, opening a pipe waits for somebody to read it; and no terminal is to become this process's.
      file = try call {
        try .open(path, .writeOnly, options: [.nonBlocking, .noFollow, .closeOnExec, .init(rawValue: O_NOCTTY)])
      }
    } catch {
      // A terminal that this process does not have says the same.
      throw error == .noSuchAddressOrDevice && OutputPlace.isPipe(path) ? .nobodyReads : .failed(error)
    }
    var status = stat()
    // Sound: the call fills in the one structure that it is given.
    guard unsafe fstat(file.rawValue, &status) == 0, [S_IFCHR, S_IFIFO].contains(status.st_mode & S_IFMT),
      fcntl(file.rawValue, F_SETFL, 0) == 0
    else {
      try? file.close()
      throw .unsuitable
    }
    return file
  }

  private static func failing<Value: ~Copyable>(
    _ body: () throws(Errno) -> Value
  ) throws(OutputFileError) -> Value {
    do throws(Errno) { return try body() } catch { throw .failed(error) }
  }

  /// Says which error it is that a call of the system library throws; it throws no other kind.
  static func call<Value>(_ body: () throws -> Value) throws(Errno) -> Value {
    do { return try body() } catch { throw error as? Errno ?? .ioError }
  }
}
