/// Something about a host that no capability says: trying tells.
public enum HostTrait: String, Hashable, Sendable, CaseIterable {
  /// An interrupt stays in service (ISR, PPR) until its EOI.
  case inService = "in-service-until-eoi"
  /// A hypercall instruction works in ring 0.
  case hypercall
  /// A waiting interrupt is taken at the first instruction boundary that lets it in, not some instructions later.
  case instructionBoundary = "interrupts-at-instruction-boundaries"
  /// The guest's TSC is ahead of the host's by what KVM is told (KVM_VCPU_TSC_OFFSET).
  case tscOffset = "tsc-offset"
}
