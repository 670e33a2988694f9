import CConfinement
public import SystemPackage

/// Rights of a superuser, one by one (capabilities(7), linux/capability.h).
public struct Capabilities: OptionSet, Hashable, Sendable {
  /// A bit each.
  public let rawValue: UInt64

  /// Capabilities by their bits.
  public init(rawValue: UInt64) { self.rawValue = rawValue }

  /// Gives a file to another user.
  public static let chown = Capabilities(rawValue: 1 << 0)
  /// Opens files whatever their permissions are.
  public static let overrideFilePermissions = Capabilities(rawValue: 1 << 1)
  /// Changes another user's file's permissions.
  public static let fileOwner = Capabilities(rawValue: 1 << 3)
  /// Listens at a port below 1024.
  public static let lowPorts = Capabilities(rawValue: 1 << 10)
  /// Sees other users' processes.
  public static let inspectProcesses = Capabilities(rawValue: 1 << 19)

  /// What the calling thread can do now.
  public static var effective: Capabilities { Capabilities(rawValue: cconfinement_capabilities()) }

  /// Has the calling thread, and those that it starts, keep these of the capabilities that it has, and no others; nor can a
  /// program that it executed have others.
  ///
  /// - Throws: the error of capset(2).
  public static func keep(_ kept: Capabilities) throws(Errno) {
    let answer = cconfinement_keep_capabilities(kept.rawValue)
    guard answer == 0 else { throw Errno(rawValue: -answer) }
  }
}
