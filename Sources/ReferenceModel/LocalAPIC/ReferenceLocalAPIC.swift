public import APIC

/// A local APIC as a value: its register page, and what the page does not show (SDM volume 3A, chapter 12).
///
/// Nothing here waits or looks at a clock: what depends on time takes it as an argument, in nanoseconds.
public struct ReferenceLocalAPIC: Sendable {
  /// The x2APIC ID, which is the vCPU's number.
  public let id: UInt32

  /// What it has.
  public let features: LocalAPICFeatures

  /// Where it differs from the manuals.
  public let deviations: Deviations

  /// IA32_APIC_BASE.
  public package(set) var base: APICBase

  /// The registers. In x2APIC mode the ID is the whole register; the upper half of the ICR is the word after the lower.
  public package(set) var page = LocalAPICState()

  /// The timer.
  public package(set) var timer = ReferenceTimer()

  /// What KVM remembers of the ISR, with `Deviation.priorityStaleAfterRestore`.
  var service = ServiceRecord()

  /// INIT, SIPI and NMI that came and are not taken yet, and what the processor does.
  public package(set) var processor: ProcessorState

  /// The vectors whose EOI the IOAPIC hears of; with `Deviation.endOfInterruptMapAtEntry` as it was at the last entry.
  public package(set) var broadcastVectors = VectorSet()

  /// What the processor does of it by itself.
  public package(set) var virtualization = APICVirtualization()

  /// The rules of the model that it has met.
  public package(set) var met = ModelRuleSet()

  /// The mode; it is kept beside `base` because everything asks for it.
  public private(set) var mode = APICMode.xAPIC

  /// A local APIC after reset.
  ///
  /// - Parameters:
  ///   - id: Its x2APIC ID.
  ///   - isBootstrapProcessor: Whether its processor starts the machine; the others wait for INIT and SIPI.
  ///   - features: What it has.
  ///   - deviations: Where it differs from the manuals.
  public init(
    id: UInt32, isBootstrapProcessor: Bool, features: LocalAPICFeatures = LocalAPICFeatures(),
    deviations: Deviations = .none
  ) {
    self.id = id
    self.features = features
    self.deviations = deviations
    base = APICBase(isBootstrapProcessor: isBootstrapProcessor)
    processor = ProcessorState(activity: isBootstrapProcessor ? .running : .waitingForINIT)
    page[.id] = id << 24
    virtualization.isActive = deviations.contains(.virtualizationInhibitedByIdentifier)
    reset()
  }

  /// Whether the local APIC takes part at all: it is enabled in IA32_APIC_BASE (`kvm_apic_present`).
  public var isPresent: Bool { mode == .xAPIC || mode == .x2APIC }

  /// Whether software has enabled it (SVR bit 8).
  public var isSoftwareEnabled: Bool { page[.spurious] & 0x100 != 0 }

  mutating func setBaseValue(_ value: APICBase) {
    base = value
    mode = value.mode
  }

  /// The registers' state after power-up or INIT (SDM volume 3A, sections 12.4.7.1 and 12.4.7.3). The ID and
  /// IA32_APIC_BASE stay.
  mutating func reset() {
    page[.version] = features.version.rawValue
    for source in LocalVector.allCases where source != .cmci || features.hasCMCI {
      page.setLVT(source, to: .masked)
    }
    if base.isBootstrapProcessor, deviations.contains(.lint0EnabledAtReset) {
      page.setLVT(.lint0, to: .pin(0, deliveryMode: .external))
    }
    page[.destinationFormat] = .max
    page[.spurious] = 0xff
    page[.taskPriority] = 0
    page[.errorStatus] = 0
    page[.interruptCommand] = 0
    if mode == .x2APIC {
      if !deviations.contains(.commandHighKeptThroughReset) { commandHigh = 0 }
    } else {
      page[.logicalDestination] = 0
      page[.interruptCommandHigh] = 0
    }
    for register in [LocalAPICRegister.divide, .initialCount, .currentCount] { page[register] = 0 }
    for set in [LocalAPICRegister.inService, .triggerModes, .interruptRequest] {
      for word in 0..<8 { page[set, word: word] = 0 }
    }
    if deviations.contains(.countRememberedThroughReset) {
      timer.hasExpired = false
      updateTimerMode()
    } else {
      timer = ReferenceTimer()
    }
    service = ServiceRecord()
    updateServiceVector()
    updateProcessorPriority()
  }
}

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
