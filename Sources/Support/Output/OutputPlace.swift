import CSupport
import Glibc
public import SystemPackage

/// Where an output that a person names goes, symbolic links followed.
///
/// A link is followed where this user or root made it, and what it leads to is written, not the link. A link that somebody
/// else has put there, in a folder for everybody, is refused: it may lead to a file of this user's. So are links among the
/// folders on the way.
enum OutputPlace {
  /// A file: one that is there, whose owner and permissions are kept, or a new one.
  case file(FilePath, kept: FileOwnership?)
  /// A device or a pipe, to be opened.
  case stream(FilePath)
  /// A descriptor that this process has, as `/dev/stdout` and `/dev/fd/63` name them.
  case descriptor(Int32)

  /// How many links a path may lead through, as in the kernel (MAXSYMLINKS).
  private static let linkLimit = 40

  /// Finds out where a path leads.
  static func find(_ path: FilePath) throws(OutputFileError) -> OutputPlace {
    var path = path
    for _ in 0...linkLimit {
      guard path.lastComponent != nil else { throw path.isEmpty ? .failed(.noSuchFileOrDirectory) : .directory }
      if let descriptor = ownDescriptor(path) { return .descriptor(descriptor) }
      try checkFolders(of: path)
      guard let status = try status(of: path) else { return .file(path, kept: nil) }
      switch status.st_mode & S_IFMT {
      case S_IFLNK: path = try follow(path, status)
      case S_IFREG:
        try checkReplaceable(path, status)
        return .file(path, kept: FileOwnership(status))
      case S_IFDIR: throw .directory
      case S_IFCHR, S_IFIFO: return .stream(path)
      default: throw .unsuitable
      }
    }
    throw .failed(.tooManySymbolicLinkLevels)
  }

  /// Whether there is a named pipe.
  static func isPipe(_ path: FilePath) -> Bool {
    guard let status = try? status(of: path) else { return false }
    return status.st_mode & S_IFMT == S_IFIFO
  }

  /// What is at a path, a link not followed; nil for nothing.
  private static func status(of path: FilePath) throws(OutputFileError) -> stat? {
    var status = stat()
    // Sound: the path is NUL-terminated and outlives the call, which fills in the one structure that it is given.
    if unsafe path.withPlatformString({ unsafe lstat($0, &status) }) == 0 { return status }
    guard errno == ENOENT else { throw .failed(Errno(rawValue: errno)) }
    return nil
  }

  /// A folder on the way may be a link as well.
  private static func checkFolders(of path: FilePath) throws(OutputFileError) {
    var folder = path.removingLastComponent()
    while folder.lastComponent != nil {
      // What is not there, or may not be looked at, is told when the file is opened.
      if let status = try? status(of: folder), status.st_mode & S_IFMT == S_IFLNK { try checkOwner(of: status) }
      folder = folder.removingLastComponent()
    }
  }

  private static func checkOwner(of link: stat) throws(OutputFileError) {
    guard link.st_uid == geteuid() || link.st_uid == 0 else { throw .foreignLink }
  }

  private static func follow(_ path: FilePath, _ status: stat) throws(OutputFileError) -> FilePath {
    try checkOwner(of: status)
    var target = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    // Sound: the call writes at most as many bytes as it is told, one less than the array has.
    let count = unsafe path.withPlatformString { unsafe readlink($0, &target, target.count - 1) }
    guard count >= 0 else { throw .failed(Errno(rawValue: errno)) }
    let name = FilePath(platformString: target)
    return path.removingLastComponent().pushing(name)
  }

  /// A file that this user may not write is not to be replaced either, nor one of somebody else's in a folder where each
  /// keeps his own (the sticky bit, unlink(2)). One that is mounted, as a container's single files are, cannot be, nor one
  /// in a folder that is append-only.
  private static func checkReplaceable(_ path: FilePath, _ status: stat) throws(OutputFileError) {
    // rename(2) says EBUSY and EPERM, but only once all of the output is there.
    // Sound: the paths are NUL-terminated and outlive the calls.
    if unsafe path.withPlatformString({ unsafe csupport_is_mounted($0) }) != 0 { throw .mounted }
    if unsafe path.folder.withPlatformString({ unsafe csupport_keeps_names($0) }) != 0 { throw .keptName }
    do {
      try FileDescriptor.open(path, .writeOnly, options: [.nonBlocking, .noFollow, .closeOnExec]).close()
    } catch {
      throw .failed(error as? Errno ?? .ioError)
    }
    let user = geteuid()
    guard user != 0, status.st_uid != user, let folder = try Self.status(of: path.folder) else { return }
    if folder.st_mode & S_ISVTX != 0, folder.st_uid != user { throw .failed(.notPermitted) }
  }

  /// The number of a descriptor that a path is the name of: one of this process's in procfs, by whichever links.
  private static func ownDescriptor(_ path: FilePath) -> Int32? {
    guard let name = path.lastComponent?.string, let number = Int32(name), number >= 0,
      let own = HostFile.resolved("/proc/self/fd"), HostFile.resolved(path.folder) == own
    else { return nil }
    return number
  }
}

/// Whose a file is, and who may do what with it.
struct FileOwnership: Sendable {
  let permissions: FilePermissions
  private let user: uid_t
  private let group: gid_t

  /// Without the bits that give a program rights: what is written is another.
  init(_ status: stat) {
    permissions = FilePermissions(rawValue: status.st_mode & 0o777)
    (user, group) = (status.st_uid, status.st_gid)
  }

  /// Gives a new file the same, as far as this user may.
  func give(to file: FileDescriptor) {
    _ = fchown(file.rawValue, user, group)
    _ = fchmod(file.rawValue, permissions.rawValue)
  }
}

extension FilePath {
  /// The folder of the path's last component; the working folder for a mere name.
  public var folder: FilePath {
    let folder = removingLastComponent()
    return folder.isEmpty ? "." : folder
  }
}

/// Why a file is not written.
public enum OutputFileError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The operating system says no.
  case failed(Errno)
  /// It is a directory.
  case directory
  /// It is a device or a pipe, and what is to be written has to be a file.
  case stream
  /// It is a block device or a socket.
  case unsuitable
  /// It is a pipe that nobody reads: to open it would take until somebody does.
  case nobodyReads
  /// It is a symbolic link that another user has made.
  case foreignLink
  /// It is a file that is mounted, whose place no other can take.
  case mounted
  /// It is a file in a folder that is append-only (chattr(1)).
  case keptName

  /// Whether this process, or the host, has no descriptor left, which says nothing of the file.
  public var isShortage: Bool {
    if case .failed(let errno) = self { errno.isOfDescriptors } else { false }
  }

  /// What is wrong, for a person.
  public var description: String {
    switch self {
    case .failed(let errno): errno.withAdvice
    case .directory: "\(Errno.isDirectory)"
    case .stream: "it is a device or a pipe, not a file"
    case .unsuitable: "it is a block device or a socket, not a file"
    case .nobodyReads: "it is a pipe that nobody reads"
    case .foreignLink: "it is a symbolic link that another user has made; name the file itself"
    case .mounted: "it is a mount of its own, whose place nothing can take; mount its folder, and name a file there"
    case .keptName: "its folder is append-only, so nothing can take its place; name a file that is not there yet"
    }
  }
}
