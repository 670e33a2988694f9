/// The mode of a local APIC: what bits 11:10 of IA32_APIC_BASE select (SDM volume 3A, table 12-5).
public enum APICMode: Sendable {
  /// Off: the processor has no local APIC.
  case disabled
  /// Registers in memory, 8-bit IDs.
  case xAPIC
  /// Registers as MSRs, 32-bit IDs.
  case x2APIC
  /// Bit 10 without bit 11, which the processor refuses with a general-protection exception.
  case invalid
}

#if !hasFeature(Embedded)
extension APICMode: CaseIterable {}
#endif
