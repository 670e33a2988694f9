/// What Landlock can refuse of files (include/uapi/linux/landlock.h, LANDLOCK_ACCESS_FS_*).
public struct FileAccess: OptionSet, Hashable, Sendable {
  /// The bits.
  public let rawValue: UInt64

  /// Accesses by their bits.
  public init(rawValue: UInt64) { self.rawValue = rawValue }

  /// Executing a file.
  public static let execute = FileAccess(rawValue: 1 << 0)
  /// Opening one for writing.
  public static let writeFile = FileAccess(rawValue: 1 << 1)
  /// Opening one for reading.
  public static let readFile = FileAccess(rawValue: 1 << 2)
  /// Listing a folder.
  public static let readFolder = FileAccess(rawValue: 1 << 3)
  /// Removing an empty folder.
  public static let removeFolder = FileAccess(rawValue: 1 << 4)
  /// Removing a file.
  public static let removeFile = FileAccess(rawValue: 1 << 5)
  /// Making a folder.
  public static let makeFolder = FileAccess(rawValue: 1 << 7)
  /// Making or renaming a regular file.
  public static let makeFile = FileAccess(rawValue: 1 << 8)
  /// Making a UNIX socket.
  public static let makeSocket = FileAccess(rawValue: 1 << 9)
  /// Cutting a file short (since version 3).
  public static let truncate = FileAccess(rawValue: 1 << 14)
  /// Requests to a device that is opened (since version 5).
  public static let request = FileAccess(rawValue: 1 << 15)

  /// All that a version of Landlock's interface can refuse.
  static func all(ofVersion version: Int) -> FileAccess {
    // Versions 1 to 5: up to making symbolic links, moving between folders, cutting short, requests to devices.
    let bits = version >= 5 ? 16 : version >= 3 ? 15 : version == 2 ? 14 : 13
    return FileAccess(rawValue: 1 << UInt64(bits) - 1)
  }
}

/// What a process still does at a path, and below it where it is a folder.
public struct PathGrant: Hashable, Sendable {
  /// Why it is there.
  public enum Purpose: String, CaseIterable, Sendable {
    /// What is read: inputs, and what the kernel tells of itself.
    case input
    /// A device or a file that is there and is written in place: /dev/kvm, a disk, a pipe.
    case device
    /// A folder in which an output comes to be, or takes the place of a file.
    case output
    /// A folder in which a socket is made, and removed.
    case socket
    /// tracefs' folder of instances, in which one is made, set up, and removed.
    case trace

    /// What may be done there.
    public var accesses: FileAccess {
      switch self {
      case .input: [.readFile, .readFolder]
      case .device: [.readFile, .writeFile, .request]
      case .output: [.readFile, .readFolder, .writeFile, .makeFile, .removeFile, .truncate]
      case .socket: [.makeSocket, .removeFile]
      case .trace: [.readFile, .readFolder, .writeFile, .makeFolder, .removeFolder, .truncate]
      }
    }
  }

  /// Where.
  public var path: String
  /// What for.
  public var purpose: Purpose

  /// A grant.
  public init(_ path: String, _ purpose: Purpose) {
    self.path = path
    self.purpose = purpose
  }
}
