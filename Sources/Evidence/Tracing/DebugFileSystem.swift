import CEvidence
import Glibc
public import SystemPackage

/// The kernel's debug file system, where KVM has a folder for each machine: where it is mounted, or a mount that only this
/// process has.
public final class DebugFileSystem: Sendable {
  /// KVM's folder in it.
  public let machines: FilePath
  private let ownMount: FileDescriptor?

  /// Finds it, or mounts it; a mount of ours ends with this value, however the process ends.
  ///
  /// - Parameters:
  ///   - customary: where it is mounted by custom.
  ///   - mounts: the list of mounts, for other places.
  ///   - mayMount: whether it may be mounted where it is nowhere.
  /// - Throws: `TraceUnavailable` with what is in the way, and what to do about it.
  public init(
    customary: FilePath = "/sys/kernel/debug", mounts: FilePath = "/proc/mounts", mayMount: Bool = true
  ) throws(TraceUnavailable) {
    let listed = MountList.places(of: "debugfs", in: (try? TextFile.read(mounts)) ?? "")
    for candidate in [customary] + listed.filter({ $0 != customary }) {
      let folder = candidate.appending("kvm")
      switch TextFile.obstacle(folder, R_OK | X_OK) {
      case nil:
        (machines, ownMount) = (folder, nil)
        return
      case .noSuchFileOrDirectory?: continue
      case let error?:
        throw TraceUnavailable("\(folder) cannot be read: \(error); run as root")
      }
    }
    guard mayMount else {
      throw TraceUnavailable("debugfs is not mounted; mount it: mount -t debugfs nodev /sys/kernel/debug")
    }
    // Sound: the call reads the name and keeps nothing of it.
    let answer = unsafe cevidence_mount("debugfs")
    guard answer >= 0 else {
      let error = Errno(rawValue: -answer)
      let remedy = geteuid() == 0 ? "mount -t debugfs nodev /sys/kernel/debug, outside of a container" : "run as root"
      throw TraceUnavailable("debugfs is not mounted, and cannot be: \(error); \(remedy)")
    }
    let mount = FileDescriptor(rawValue: answer)
    let folder = FilePath("/proc/self/fd/\(answer)/kvm")
    if let error = TextFile.obstacle(folder, R_OK | X_OK) {
      try? mount.close()
      throw TraceUnavailable("debugfs has no folder 'kvm' (\(error)): is the module kvm loaded? modprobe kvm")
    }
    (machines, ownMount) = (folder, mount)
  }

  deinit { try? ownMount?.close() }
}
