import CConfinement
public import SystemPackage

/// What Landlock lets a thread, and those that it starts, still do with files and TCP ports (landlock(7)).
public struct LandlockRuleset: ~Copyable {
  private let descriptor: FileDescriptor
  private let handled: FileAccess
  private let handlesPorts: Bool

  /// LANDLOCK_ACCESS_NET_BIND_TCP and CONNECT_TCP, since version 4.
  private static let (bind, connect): (UInt64, UInt64) = (1 << 0, 1 << 1)
  /// LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET and SIGNAL, since version 6: sockets without a file, and signals, of processes that
  /// are not restricted so as well.
  private static let scopes: UInt64 = 3

  /// The version of Landlock's interface.
  ///
  /// - Throws: `ENOSYS` where the kernel was built without it, `EOPNOTSUPP` where it is off (the kernel's parameter `lsm=`).
  public static func version() throws(Errno) -> Int {
    let answer = cconfinement_landlock_version()
    guard answer > 0 else { throw Errno(rawValue: -answer) }
    return Int(answer)
  }

  /// A ruleset that refuses all that a version knows.
  ///
  /// - Throws: what `version` throws, and `EPERM` where a container's filter refuses the call.
  public init() throws(Errno) {
    let version = try Self.version()
    let accesses = FileAccess.all(ofVersion: version)
    let answer = cconfinement_landlock_ruleset(
      accesses.rawValue, version >= 4 ? Self.bind | Self.connect : 0, version >= 6 ? Self.scopes : 0)
    guard answer >= 0 else { throw Errno(rawValue: -answer) }
    (descriptor, handled, handlesPorts) = (FileDescriptor(rawValue: answer), accesses, version >= 4)
  }

  deinit { try? descriptor.close() }

  /// Lets through what is granted. Where nothing is, nothing has to be; and what has no place in a file system, such as a pipe
  /// without a name, is never refused.
  ///
  /// - Throws: `EMFILE`, `ENFILE` or `ENOMEM`: without a descriptor for the path it would be refused later on.
  public func allow(_ grant: PathGrant) throws(Errno) {
    let accesses = grant.purpose.accesses.intersection(handled)
    // Sound: the path is NUL-terminated and outlives the call.
    let answer = unsafe grant.path.withCString { path in
      unsafe cconfinement_landlock_allow_path(descriptor.rawValue, path, accesses.rawValue)
    }
    let error = Errno(rawValue: -answer)
    if error.isShortage { throw error }
  }

  /// Lets a TCP port be listened at.
  public func allow(listeningAt port: UInt16) {
    guard handlesPorts else { return }
    _ = cconfinement_landlock_allow_port(descriptor.rawValue, port, Self.bind)
  }

  /// Restricts the calling thread, for good. `PR_SET_NO_NEW_PRIVS` has to be set.
  ///
  /// - Throws: the error of landlock_restrict_self(2): `E2BIG` below 16 others.
  public consuming func restrict() throws(Errno) {
    let answer = cconfinement_landlock_restrict(descriptor.rawValue)
    guard answer == 0 else { throw Errno(rawValue: -answer) }
  }
}

extension Errno {
  /// Whether this process, or the host, had no room for what was asked for.
  var isShortage: Bool { [.tooManyOpenFiles, .tooManyOpenFilesInSystem, .noMemory].contains(self) }
}
