import CKVM
public import SystemPackage

/// Small files and directories of sysfs and procfs; what cannot be read is nil or empty.
enum HostFiles {
  /// A file's text without the newline at its end, at most 64 KiB of it.
  static func text(_ path: FilePath) -> String? {
    // Sound: the path is NUL-terminated and outlives the call.
    let answer = unsafe path.withPlatformString { unsafe ckvm_open($0, O_RDONLY) }
    guard let file = try? OwnedDescriptor(.open, answer), let bytes = try? file.read(count: 65536, at: 0) else {
      return nil
    }
    var text = String(decoding: bytes, as: UTF8.self)
    while text.last?.isNewline == true { text.removeLast() }
    return text
  }

  /// The names in a directory, sorted, without those that start with a dot.
  static func names(in path: FilePath) -> [String] {
    // Sound: the path is NUL-terminated; the stream is closed once, after its last use; each name is copied before the
    // next call.
    unsafe path.withPlatformString { path in
      guard let directory = unsafe opendir(path) else { return [] }
      defer { unsafe _ = closedir(directory) }
      var names: [String] = []
      while let name = unsafe ckvm_next_name(directory) { unsafe names.append(String(cString: name)) }
      return names.filter { !$0.hasPrefix(".") }.sorted()
    }
  }

  /// Whether something is there that this user may know of.
  static func exists(_ path: FilePath) -> Bool {
    // Sound: the path is NUL-terminated and outlives the call.
    unsafe path.withPlatformString { unsafe ckvm_access($0, F_OK) } == 0
  }

  /// The running kernel's release, such as `6.18.0`.
  static var kernelRelease: String {
    var release = [CChar](repeating: 0, count: 256)
    // Sound: the shim writes at most as many bytes as it is told, the last of them 0.
    unsafe ckvm_kernel_release(&release, release.count)
    return String(decoding: release.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// What the processor calls the hypervisor below this system; nil where it shows none.
  static var hypervisor: String? {
    var name = [CChar](repeating: 0, count: 13)
    // Sound: the shim writes at most 13 bytes, the last of them 0.
    guard unsafe ckvm_hypervisor(&name) != 0 else { return nil }
    return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}

/// Where a survey looks; other roots make it look at a tree that a test made up.
public struct HostPaths: Hashable, Sendable {
  /// The KVM device.
  public var device: FilePath

  /// The root of sysfs.
  public var sys: FilePath

  /// The root of procfs.
  public var proc: FilePath

  /// Paths; those of the running system by default.
  public init(device: FilePath = "/dev/kvm", sys: FilePath = "/sys", proc: FilePath = "/proc") {
    self.device = device
    self.sys = sys
    self.proc = proc
  }
}
