import CKVM

/// How local APICs treat 32-bit IDs and EOI broadcasts (KVM API, KVM_CAP_X2APIC_API).
public struct X2APICOptions: OptionSet, Hashable, Sendable {
  /// The bits as KVM has them.
  public let rawValue: UInt64

  /// The options with those bits.
  public init(rawValue: UInt64) {
    self.rawValue = rawValue
  }

  /// Routes, MSIs and local APIC state carry 32-bit APIC IDs (KVM_X2APIC_API_USE_32BIT_IDS).
  public static let use32BitIDs = X2APICOptions(rawValue: UInt64(KVM_X2APIC_API_USE_32BIT_IDS))

  /// ID 0xff is an x2APIC like any other, not all of them (KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK).
  public static let disableBroadcastQuirk = X2APICOptions(rawValue: UInt64(KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK))

  /// The guest may suppress EOI broadcasts, and KVM honours it (KVM_X2APIC_ENABLE_SUPPRESS_EOI_BROADCAST).
  public static let enableSuppressEOIBroadcast = X2APICOptions(
    rawValue: UInt64(KVM_X2APIC_ENABLE_SUPPRESS_EOI_BROADCAST))

  /// The guest does not get to see that it could (KVM_X2APIC_DISABLE_SUPPRESS_EOI_BROADCAST).
  public static let disableSuppressEOIBroadcast = X2APICOptions(
    rawValue: UInt64(KVM_X2APIC_DISABLE_SUPPRESS_EOI_BROADCAST))
}

/// Instructions that run without leaving the guest (KVM API, KVM_CAP_X86_DISABLE_EXITS).
public struct DisabledExits: OptionSet, Hashable, Sendable {
  /// The bits as KVM has them.
  public let rawValue: UInt64

  /// The exits with those bits.
  public init(rawValue: UInt64) {
    self.rawValue = rawValue
  }

  /// MONITOR and MWAIT (KVM_X86_DISABLE_EXITS_MWAIT).
  public static let mwait = DisabledExits(rawValue: UInt64(KVM_X86_DISABLE_EXITS_MWAIT))

  /// HLT (KVM_X86_DISABLE_EXITS_HLT).
  public static let halt = DisabledExits(rawValue: UInt64(KVM_X86_DISABLE_EXITS_HLT))

  /// PAUSE in a loop (KVM_X86_DISABLE_EXITS_PAUSE).
  public static let pause = DisabledExits(rawValue: UInt64(KVM_X86_DISABLE_EXITS_PAUSE))

  /// Reads of the C-state residency MSRs (KVM_X86_DISABLE_EXITS_CSTATE).
  public static let cState = DisabledExits(rawValue: UInt64(KVM_X86_DISABLE_EXITS_CSTATE))

  /// Reads of APERF and MPERF (KVM_X86_DISABLE_EXITS_APERFMPERF).
  public static let aperfMperf = DisabledExits(rawValue: UInt64(KVM_X86_DISABLE_EXITS_APERFMPERF))
}
