public import KVM

/// Something that a host must have for a scenario to be run there.
public enum Need: Hashable, Sendable {
  /// A KVM capability.
  case capability(Capability)
  /// A feature that the host survey finds.
  case feature(HostFeature.ID)
  /// Something that only trying tells.
  case trait(HostTrait)
}
