import KVM
import Support
import SystemPackage

/// Where a state was taken: what a person wants to know of it when another host refuses it.
public struct HostIdentity: Hashable, Sendable {
  /// The kernel's release, such as `6.18.0`.
  public var kernel = ""
  /// KVM's vendor module, such as `kvm_intel`.
  public var backEnd = ""
  /// The processor's name.
  public var processor = ""

  /// A host of which nothing is known.
  public init() {}

  /// This host.
  public static let current: HostIdentity = {
    var identity = HostIdentity()
    identity.kernel = Self.line(of: "/proc/sys/kernel/osrelease") { _ in true } ?? ""
    identity.backEnd = BackEnd.loaded()?.moduleName ?? ""
    let model = Self.line(of: "/proc/cpuinfo") { $0.hasPrefix("model name") }
    identity.processor = model.map { String($0.drop { $0 != ":" }.dropFirst(2)) } ?? ""
    return identity
  }()

  /// The first line that is wanted, of the beginning of a file.
  private static func line(of path: FilePath, where isWanted: (Substring) -> Bool) -> String? {
    HostFile.text(path, atMost: 4096)?.split(separator: "\n").first(where: isWanted).map(String.init)
  }
}
