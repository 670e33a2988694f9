import Support
import SystemPackage

/// What a host can do for interrupt virtualization, and how that is known.
///
/// It is asked of `/dev/kvm` and of the modules' parameters, never of the processor's flags: a software back end needs
/// none of them. A host without KVM gets a survey too, which says so.
public struct HostSurvey: Hashable, Sendable {
  /// A capability and what KVM answered about it.
  public struct CapabilityValue: Hashable, Sendable {
    /// The capability.
    public var capability: Capability
    /// 0 when the host lacks it.
    public var value: Int
  }

  /// A loaded module and its parameters, as text.
  public struct Module: Hashable, Sendable {
    /// Its name in `/sys/module`.
    public var name: String
    /// Its parameters that this user may read.
    public var parameters: [String: String]
  }

  /// The kernel's release.
  public var kernelRelease: String

  /// The name of the hypervisor or emulator that this host itself runs in, by CPUID leaf 0x40000000; nil where it says that
  /// there is none.
  public var hypervisor: String?

  /// Whether this host's processor is one that QEMU emulates (TCG, by that name), with what it does otherwise.
  public var isEmulatedByQEMU: Bool { hypervisor == "TCGTCGTCGTCG" }

  /// The vendor module; nil when none is loaded.
  public var backEnd: BackEnd?

  /// The KVM API version; nil when /dev/kvm cannot be used.
  public var apiVersion: Int?

  /// Why /dev/kvm cannot be used.
  public var deviceError: KVMError?

  /// What KVM answers about each of `Capability.known`; empty when /dev/kvm cannot be used.
  public var capabilities: [CapabilityValue]

  /// `kvm` and the vendor module, as far as they are loaded.
  public var modules: [Module]

  /// The clock sources that the kernel offers, such as `tsc`, which is missing where it holds the TSC for unstable.
  public var clockSources: [String] = []

  /// The findings, one for each `HostFeature.ID`, in that order.
  public var features: [HostFeature]

  /// The finding about a feature.
  public subscript(id: HostFeature.ID) -> HostFeature {
    features.first { $0.id == id } ?? HostFeature(id, .unknown, evidence: "not looked for")
  }

  /// What KVM answered about a capability; nil when /dev/kvm cannot be used or the capability was not asked about.
  public func value(_ capability: Capability) -> Int? {
    capabilities.first { $0.capability == capability }?.value
  }

  /// A module's parameter; nil when the module is not loaded or has none of that name.
  public func parameter(_ name: String, of module: String) -> String? {
    modules.first { $0.name == module }?.parameters[name]
  }

  /// Whether the kernel's release is older than `major.minor`; false where it does not begin with two numbers.
  public func isKernel(before major: Int, _ minor: Int) -> Bool {
    let numbers = kernelRelease.split(separator: ".").prefix(2).compactMap { Int($0.prefix { $0.isNumber }) }
    guard numbers.count == 2 else { return false }
    return (numbers[0], numbers[1]) < (major, minor)
  }

  /// The name of the hypervisor or emulator that this program runs in, as `hypervisor`, without a survey.
  public static var hypervisor: String? { HostNames.hypervisor }

  /// Looks at a host.
  ///
  /// It takes a few milliseconds, changes nothing and never fails.
  ///
  /// - Parameter paths: where to look; the running system by default.
  public static func take(_ paths: HostPaths = HostPaths()) -> HostSurvey {
    let backEnd = BackEnd(paths)
    var survey = HostSurvey(
      kernelRelease: HostNames.kernelRelease, hypervisor: HostNames.hypervisor, backEnd: backEnd, apiVersion: nil,
      deviceError: nil, capabilities: [],
      modules: ["kvm", backEnd?.moduleName].compactMap { $0 }.compactMap { Module($0, paths) }, features: [])
    let sources = HostFile.text(paths.sys.appending("devices/system/clocksource/clocksource0/available_clocksource"))
    survey.clockSources = (sources ?? "").split(separator: " ").map(String.init)
    do throws(KVMError) {
      let system = try open(paths.device)
      survey.apiVersion = KVM.apiVersion
      for capability in Capability.known {
        survey.capabilities.append(CapabilityValue(capability: capability, value: try system.check(capability)))
      }
    } catch {
      survey.deviceError = error
    }
    survey.features = HostFeature.ID.allCases.map { survey.finding($0, paths) }
    return survey
  }
}

extension HostSurvey.Module {
  fileprivate init?(_ name: String, _ paths: HostPaths) {
    let directory = paths.sys.appending("module").appending(name)
    guard HostFile.exists(directory) else { return nil }
    let parameters = directory.appending("parameters")
    self.init(name: name, parameters: [:])
    for parameter in HostFile.names(in: parameters) {
      self.parameters[parameter] = HostFile.text(parameters.appending(parameter))
    }
  }
}
