import Support
import SystemPackage

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
