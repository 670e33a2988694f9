import CKVM
import Support
public import SystemPackage

/// The vendor module that does KVM's work on a host.
public enum BackEnd: Hashable, Sendable {
  /// Intel VT-x.
  case kvmIntel
  /// AMD-V.
  case kvmAMD
  /// A software back end, for hosts without virtualization hardware.
  case kvmPVM
  /// Another module.
  case unknown(String)

  /// The module's name in `/sys/module`.
  public var moduleName: String {
    switch self {
    case .kvmIntel: "kvm_intel"
    case .kvmAMD: "kvm_amd"
    case .kvmPVM: "kvm_pvm"
    case .unknown(let name): name
    }
  }

  init(moduleName: String) {
    switch moduleName {
    case "kvm_intel": self = .kvmIntel
    case "kvm_amd": self = .kvmAMD
    case "kvm_pvm": self = .kvmPVM
    default: self = .unknown(moduleName)
    }
  }

  /// The back end that is loaded; nil when none is.
  ///
  /// - Parameter paths: where to look.
  public static func loaded(_ paths: HostPaths = HostPaths()) -> BackEnd? { BackEnd(paths) }

  /// A kernel with both vendors built in shows both, whichever works: then the processor's vendor decides.
  init?(_ paths: HostPaths) {
    let modules = HostFile.names(in: paths.sys.appending("module")).filter { $0.hasPrefix("kvm_") }
    guard let first = modules.first else { return nil }
    self.init(moduleName: first)
    guard modules.count > 1 else { return }
    let processor = HostFile.text(paths.proc.appending("cpuinfo")) ?? ""
    let vendor = processor.contains("AuthenticAMD") || processor.contains("HygonGenuine") ? "kvm_amd" : "kvm_intel"
    if modules.contains(vendor) { self.init(moduleName: vendor) }
  }
}

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
