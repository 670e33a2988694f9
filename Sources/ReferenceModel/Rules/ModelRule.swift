/// A rule of the model that a history may meet: what an exploration's coverage counts.
///
/// A new rule is a case here, its source below, and a line where it is applied.
public enum ModelRule: UInt8, Sendable, CaseIterable {
  case edgeAccepted, levelAccepted, softwareDisabledRefuses, deassertionIgnored
  case nmiWaits, initTaken, startUpIgnored, startUpStarts, reservedModeAccepted
  case priorityFromTask, priorityFromService, heldBackByPriority, acknowledged
  case serviceEnded, nothingInService, endHeardByIOAPIC
  case softwareDisableMasks, registerRefused, countStarted, countStopped, divideChanged, deadlineIgnored, deadlineSet
  case modeRefused, modeToX2APIC, modeToXAPIC, modeDisabled
  case toSelf, toAll, physicalByMap, logicalByMap, everyoneAsked, oneOfSeveral, nobodyReached
  case pinSent, edgeMerged, pinHeldBack, pinSentAgain, picLineChanged, messageRouted
  case externalTaken, nmiTaken, endsScanned, interruptsOff
  case pageRead, pageWritten, pageAccessIgnored, ioapicAccessed, portAccessed
  case taskPriorityKept, entryRefused, entryStalls
  case messageInPieces, irqfdAtOnce
  case picInitialized, picPolled
  case halted, haltPassed, haltEnded

  /// A stable name, as reports have it.
  public var name: String { "\(self)" }

  /// Where it comes from.
  public var source: String {
    switch self {
    case .edgeAccepted, .levelAccepted, .deassertionIgnored: "SDM volume 3A, section 12.8.4; __apic_accept_irq"
    case .softwareDisabledRefuses, .softwareDisableMasks: "SDM volume 3A, section 12.4.7.2"
    case .nmiWaits, .nmiTaken: "SDM volume 3A, section 7.7.1; process_nmi"
    case .initTaken, .startUpIgnored, .startUpStarts: "SDM volume 3A, section 10.4; kvm_apic_accept_events"
    case .reservedModeAccepted: "__apic_accept_irq"
    case .priorityFromTask, .priorityFromService, .heldBackByPriority: "SDM volume 3A, section 12.8.3.1"
    case .acknowledged: "SDM volume 3A, section 12.8.4"
    case .serviceEnded, .nothingInService, .endHeardByIOAPIC: "SDM volume 3A, section 12.8.5"
    case .registerRefused: "SDM volume 3A, section 12.12.1.3; kvm_lapic_reg_write"
    case .countStarted, .countStopped, .divideChanged: "SDM volume 3A, section 12.5.4"
    case .deadlineIgnored, .deadlineSet: "SDM volume 3A, section 12.5.4.1"
    case .modeRefused, .modeToX2APIC, .modeToXAPIC, .modeDisabled: "SDM volume 3A, sections 12.4.3 and 12.12.5"
    case .toSelf, .toAll: "SDM volume 3A, section 12.6.1"
    case .physicalByMap, .logicalByMap: "SDM volume 3A, section 12.6.2; kvm_irq_delivery_to_apic_fast"
    case .everyoneAsked, .nobodyReached: "SDM volume 3A, section 12.6.2; kvm_irq_delivery_to_apic"
    case .oneOfSeveral: "SDM volume 3A, section 12.6.2.4; kvm_vector_to_index"
    case .pinSent, .edgeMerged, .pinHeldBack: "82093AA data sheet, section 3.2.4; ioapic_set_irq"
    case .pinSentAgain: "82093AA data sheet, section 3.2.4; kvm_ioapic_update_eoi_one"
    case .picLineChanged: "8259A data sheet, edge and level triggered modes; kvm_pic_set_irq"
    case .messageRouted: "KVM API, KVM_SET_GSI_ROUTING; kvm_set_msi"
    case .externalTaken: "8259A data sheet, interrupt sequence; kvm_cpu_get_interrupt"
    case .endsScanned: "kvm_ioapic_scan_entry"
    case .interruptsOff: "SDM volume 3A, section 7.8.1"
    case .pageRead, .pageWritten, .pageAccessIgnored: "SDM volume 3A, section 12.4.1; apic_mmio_read, apic_mmio_write"
    case .ioapicAccessed: "82093AA data sheet, section 3.1; ioapic_mmio_write"
    case .portAccessed: "8259A data sheet, operation command words; pic_ioport_write"
    case .halted, .haltPassed, .haltEnded: "SDM volume 2A, HLT; kvm_emulate_halt, kvm_vcpu_has_events"
    case .picInitialized: "8259A data sheet, initialization command words; pic_ioport_write, kvm_pic_reset"
    case .picPolled: "8259A data sheet, poll command; pic_poll_read"
    case .taskPriorityKept: "SDM volume 3C, section 31.1.2"
    case .entryStalls: "SDM volume 3C, section 28.7.7; handle_tpr_below_threshold"
    case .entryRefused: "SDM volume 3C, section 28.2.1.1"
    case .messageInPieces: "kvm_irq_delivery_to_apic; several vCPUs, one after the other, while others send too"
    case .irqfdAtOnce: "kvm_arch_set_irq_inatomic; an irqfd while others send too"
    }
  }
}

/// A set of rules.
public struct ModelRuleSet: Hashable, Sendable {
  private var bits: UInt64 = 0

  /// No rule.
  public init() {}

  /// Adds a rule.
  @inline(__always)
  public mutating func insert(_ rule: ModelRule) { bits |= 1 << UInt64(rule.rawValue) }

  /// Adds those of another set.
  public mutating func formUnion(_ other: ModelRuleSet) { bits |= other.bits }

  /// Whether a rule is in the set.
  public func contains(_ rule: ModelRule) -> Bool { bits >> UInt64(rule.rawValue) & 1 != 0 }
}
