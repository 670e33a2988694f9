/// Something about a host that no capability says: trying tells.
public enum HostTrait: String, Hashable, Sendable, CaseIterable {
  /// An interrupt stays in service (ISR, PPR) until its EOI.
  case inService = "in-service-until-eoi"
  /// A hypercall instruction works in ring 0.
  case hypercall
}
