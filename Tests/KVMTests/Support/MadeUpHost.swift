import Foundation
import KVM
import SystemPackage

/// A sysfs and a procfs in a temporary directory, removed with this object.
final class MadeUpHost {
  let root: URL

  init(_ files: [String: String]) throws {
    root = FileManager.default.temporaryDirectory.appendingPathComponent("lapwing-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
    for (path, text) in files {
      let file = root.appendingPathComponent(path)
      try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
    }
  }

  deinit { try? FileManager.default.removeItem(at: root) }

  /// What a survey of it finds; its /dev/kvm is not there.
  func survey() -> HostSurvey {
    let path = FilePath(root.path)
    return HostSurvey.take(
      HostPaths(device: path.appending("kvm"), sys: path.appending("sys"), proc: path.appending("proc")))
  }
}
