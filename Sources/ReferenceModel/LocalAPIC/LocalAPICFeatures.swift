public import APIC

/// What a local APIC has, which its CPUID and its machine decide.
public struct LocalAPICFeatures: Hashable, Sendable {
  /// Whether it has x2APIC mode (CPUID.01H:ECX bit 21).
  public var hasX2APIC: Bool
  /// Whether its timer has the TSC-deadline mode (CPUID.01H:ECX bit 24).
  public var hasTSCDeadline: Bool
  /// Whether the local vector table has an entry for corrected machine checks (IA32_MCG_CAP bit 10).
  public var hasCMCI: Bool
  /// Whether the SVR can keep EOIs from the IOAPICs: KVM has it where the IOAPIC is not in the kernel
  /// (`kvm_apic_set_version`).
  public var suppressesEOIBroadcast: Bool

  /// Features, by default those of KVM's local APIC with an IOAPIC in the kernel.
  public init(
    hasX2APIC: Bool = true, hasTSCDeadline: Bool = true, hasCMCI: Bool = false, suppressesEOIBroadcast: Bool = false
  ) {
    self.hasX2APIC = hasX2APIC
    self.hasTSCDeadline = hasTSCDeadline
    self.hasCMCI = hasCMCI
    self.suppressesEOIBroadcast = suppressesEOIBroadcast
  }

  /// The version register (SDM volume 3A, section 12.4.8).
  public var version: LocalAPICVersion {
    var version = LocalAPICVersion(rawValue: 0x14)
    version.maxLVTEntry = hasCMCI ? 6 : 5
    if suppressesEOIBroadcast && hasX2APIC { version.rawValue |= 1 << 24 }
    return version
  }
}
