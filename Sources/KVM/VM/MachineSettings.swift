import CKVM

/// What a machine was told that KVM never tells back, kept so that the machine can be made again.
public struct MachineSettings: Hashable, Sendable {
  /// A capability that was enabled (KVM_ENABLE_CAP).
  public struct EnabledCapability: Hashable, Sendable {
    /// Which.
    public var capability: Capability
    /// Its arguments: four, of which those that the capability does not define are 0.
    public var arguments: [UInt64]

    /// A capability with its arguments.
    public init(_ capability: Capability, _ arguments: [UInt64]) {
      self.capability = capability
      self.arguments = arguments
    }
  }

  /// An in-kernel interval timer's options (KVM_CREATE_PIT2, KVM_REINJECT_CONTROL).
  public struct PITOptions: Hashable, Sendable {
    /// Whether KVM also answers port 0x61.
    public var speakerDummy: Bool
    /// Whether ticks that came too early are delivered late.
    public var reinjects = true

    /// The options of a timer that was just made.
    public init(speakerDummy: Bool, reinjects: Bool = true) {
      self.speakerDummy = speakerDummy
      self.reinjects = reinjects
    }
  }

  /// The capabilities that were enabled, in that order; a split irqchip is one of them.
  public var capabilities: [EnabledCapability] = []
  /// Whether PIC, IOAPIC and local APICs were put in the kernel (KVM_CREATE_IRQCHIP).
  public var hasIRQChip = false
  /// The in-kernel timer, if there is one.
  public var pit: PITOptions?
  /// The bootstrap processor's id, if one was chosen (KVM_SET_BOOT_CPU_ID).
  public var bootCPU: UInt32?
  /// Where the real-mode TSS is, if that was chosen (KVM_SET_TSS_ADDR).
  public var tssAddress: UInt32?
  /// Where the identity map is, if that was chosen (KVM_SET_IDENTITY_MAP_ADDR).
  public var identityMapAddress: UInt64?
  /// The TSC frequency of new vCPUs in kHz, if one was chosen (KVM_SET_TSC_KHZ).
  public var tscKHz: UInt32?
  /// The routing table, if one was set (KVM_SET_GSI_ROUTING).
  public var routes: [GSIRoute]?
  /// The MSR filter, if one was set (KVM_X86_SET_MSR_FILTER).
  public var msrFilter: MSRFilter?

  /// A machine that was told nothing.
  public init() {}
}

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
