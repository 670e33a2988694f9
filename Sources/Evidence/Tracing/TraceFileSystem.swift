import CEvidence
import Glibc
import SystemPackage

/// The kernel's trace file system: where it is mounted, or a mount that only this process has.
final class TraceFileSystem: Sendable {
  /// Its root.
  let root: FilePath
  private let ownMount: FileDescriptor?

  /// Finds it, or mounts it.
  ///
  /// A mount of ours has no place in the file system: there is none to remove, and it ends with its descriptor however
  /// the process ends.
  init(_ paths: TracePaths) throws(TraceUnavailable) {
    var reasons: [String] = []
    for candidate in paths.candidates
    where TextFile.obstacle(candidate.appending("events"), F_OK) != .noSuchFileOrDirectory {
      guard let obstacle = Self.obstacle(candidate) else {
        root = candidate
        ownMount = nil
        return
      }
      reasons.append(obstacle)
    }
    guard paths.mayMount else {
      throw TraceUnavailable(reasons.first ?? "tracefs is not mounted")
    }
    // Sound: the call reads the name and keeps nothing of it.
    let answer = unsafe cevidence_mount("tracefs")
    guard answer >= 0 else {
      let reason = "tracefs cannot be mounted: \(Errno(rawValue: -answer))"
      throw TraceUnavailable((reasons + [reason]).joined(separator: "; ") + (geteuid() == 0 ? "" : "; run as root"))
    }
    let mount = FileDescriptor(rawValue: answer)
    let root = FilePath("/proc/self/fd/\(answer)")
    if let obstacle = Self.obstacle(root) {
      try? mount.close()
      throw TraceUnavailable("tracefs was mounted, but \(obstacle)")
    }
    self.root = root
    ownMount = mount
  }

  deinit { try? ownMount?.close() }

  /// Why nothing can be recorded there; nil where it can.
  private static func obstacle(_ root: FilePath) -> String? {
    if let problem = TextFile.obstacle(root.appending("instances"), R_OK | W_OK | X_OK) {
      return "\(root)/instances cannot be used: \(problem)"
    }
    if let problem = TextFile.obstacle(root.appending("events/kvm"), F_OK) {
      return "\(root)/events/kvm cannot be used: \(problem)"
    }
    return nil
  }
}
