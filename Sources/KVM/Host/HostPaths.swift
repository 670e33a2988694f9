public import SystemPackage

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
