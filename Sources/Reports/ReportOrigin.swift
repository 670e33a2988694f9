import KVM
import MachineState
import Support

/// What wrote a report, and on which host: for whoever finds it later.
public struct ReportOrigin: Codable, Hashable, Sendable {
  /// Lapwing's version, such as `0.1.0`.
  public var version: String
  /// The commit that a package was made of; absent for any other build.
  public var commit: String?
  /// The release of the kernel.
  public var kernel: String
  /// The processor's name; absent where nothing tells it.
  public var processor: String?
  /// What the processor calls the hypervisor below the host, such as `KVMKVMKVM`; absent on a machine without one, as far as CPUID
  /// tells (SDM volume 2A, CPUID, leaf 01H, ECX bit 31).
  public var hypervisor: String?

  /// This program on this host.
  ///
  /// - Parameters:
  ///   - version: its version.
  ///   - commit: the commit that it was made of; nil where it is not known.
  public init(version: String, commit: String?) {
    self.version = version
    self.commit = commit
    let host = HostIdentity.current
    kernel = host.kernel
    processor = host.processor.isEmpty ? nil : host.processor
    hypervisor = HostSurvey.hypervisor
  }

  /// For a person, in one line.
  var line: TextLine {
    let program: TextLine = commit.map { "lapwing \(version) (\($0))" } ?? "lapwing \(version)"
    let place: TextLine = hypervisor.map { ", under \($0)" } ?? ""
    return "\(program) on \(processor ?? "an unknown processor")\(place)"
  }
}
