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
}
