import Glibc
public import SystemPackage

/// Where the kernel's trace file system is looked for; other paths make it look at what a test made up.
public struct TracePaths: Hashable, Sendable {
  /// Where it is mounted by custom, in the order of preference.
  public var customary: [FilePath]
  /// The list of mounts, for other places.
  public var mounts: FilePath
  /// Whether it may be mounted, for this process alone, where it is nowhere.
  public var mayMount: Bool

  /// Paths; those of the running system by default.
  public init(
    customary: [FilePath] = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"], mounts: FilePath = "/proc/mounts",
    mayMount: Bool = true
  ) {
    self.customary = customary
    self.mounts = mounts
    self.mayMount = mayMount
  }

  /// All places where it may be.
  var candidates: [FilePath] {
    customary
      + MountList.places(of: "tracefs", in: (try? TextFile.read(mounts)) ?? "").filter { !customary.contains($0) }
  }
}

/// The list of mounts (proc_pid_mounts(5)).
enum MountList {
  /// What to do where this process may not mount a file system itself.
  static func remedy(_ type: String, at place: String) -> String {
    geteuid() == 0 ? "mount -t \(type) nodev \(place), outside of a container" : "run as root"
  }

  /// Where a file system of a type is mounted. Spaces and the like in a path are written as `\040`.
  static func places(of type: String, in mounts: String) -> [FilePath] {
    mounts.split(separator: "\n").compactMap { line in
      let words = line.split(separator: " ")
      guard words.count >= 3, words[2] == type[...] else { return nil }
      var path = String(words[1])
      for (escape, character) in [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")] {
        path = path.split(separator: escape, omittingEmptySubsequences: false).joined(separator: character)
      }
      return FilePath(path)
    }
  }
}
