import CKVM
public import SystemPackage

/// What the kernel and the processor of this host call themselves.
enum HostNames {
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
