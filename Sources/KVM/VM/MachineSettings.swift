import CKVM
import Synchronization
import SystemPackage

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

/// Which MSR accesses of the guest KVM handles; it refuses the others or hands them to user space, as
/// `exitOnMSRAccess(.filter)` says (KVM API, KVM_X86_SET_MSR_FILTER).
public struct MSRFilter: Hashable, Sendable {
  /// A run of MSRs with an answer for each.
  public struct Range: Hashable, Sendable {
    /// The first MSR.
    public var base: UInt32

    /// For each MSR from the first: whether KVM handles it.
    public var allows: [Bool]

    /// Whether the range is about reads.
    public var reads: Bool

    /// Whether the range is about writes.
    public var writes: Bool

    /// A range.
    public init(base: UInt32, allows: [Bool], reads: Bool = true, writes: Bool = true) {
      self.base = base
      self.allows = allows
      self.reads = reads
      self.writes = writes
    }
  }

  /// Whether KVM handles the MSRs that no range is about.
  public var allowsOthers: Bool

  /// At most 16 ranges, of at most 12288 MSRs each.
  public var ranges: [Range]

  /// A filter; without ranges everything is handled by KVM.
  public init(allowsOthers: Bool = true, ranges: [Range] = []) {
    self.allowsOthers = allowsOthers
    self.ranges = ranges
  }
}

extension VirtualMachine {
  /// Sets which MSR accesses KVM handles (KVM_X86_SET_MSR_FILTER).
  ///
  /// The registers of an x2APIC cannot be filtered.
  ///
  /// - Throws: `KVMError`: E2BIG for too many ranges, EINVAL for an empty or long range.
  public func setMSRFilter(_ filter: MSRFilter) throws(KVMError) {
    guard filter.ranges.count <= Int(KVM_MSR_FILTER_MAX_RANGES) else {
      throw KVMError(call: .setMSRFilter, errno: .argListTooLong, detail: "\(filter.ranges.count) ranges")
    }
    var raw = kvm_msr_filter()
    raw.flags = UInt32(filter.allowsOthers ? KVM_MSR_FILTER_DEFAULT_ALLOW : KVM_MSR_FILTER_DEFAULT_DENY)
    var bytes = filter.ranges.flatMap { $0.bitmap }
    let answer = unsafe bytes.withUnsafeMutableBufferPointer { buffer in
      var start = buffer.baseAddress
      for (index, range) in filter.ranges.enumerated() {
        guard let bitmap = unsafe start else { break }
        // Sound: each range's bitmap is its own part of `bytes`, which stays in place until KVM has read it.
        unsafe ckvm_msr_filter_set_range(
          &raw, UInt32(index), range.flags, range.base, UInt32(clamping: range.allows.count), bitmap)
        unsafe start = bitmap + range.bitmap.count
      }
      return unsafe ckvm_set_msr_filter(descriptor.rawValue, &raw)
    }
    try attempt(.setMSRFilter, answer)
    chosen.withLock { $0.msrFilter = filter }
  }
}

extension MSRFilter.Range {
  fileprivate var flags: UInt32 {
    UInt32((reads ? KVM_MSR_FILTER_READ : 0) | (writes ? KVM_MSR_FILTER_WRITE : 0))
  }

  /// One bit an MSR, a whole number of 64-bit words, which is what KVM reads.
  fileprivate var bitmap: [UInt8] {
    var bytes = [UInt8](repeating: 0, count: (allows.count + 63) / 64 * 8)
    for (index, allowed) in allows.enumerated() where allowed { bytes[index / 8] |= 1 << (index % 8) }
    return bytes
  }
}
