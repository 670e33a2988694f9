/// A place where KVM knowingly does something else than the manuals say, or does one of the things they leave open.
///
/// Each has a kernel function that shows it. A model has the ones of the host that it stands for; without any it is the
/// architecture alone.
public enum Deviation: UInt8, Sendable, CaseIterable {
  /// The ESR reads as 0, whatever happened.
  case errorsUnrecorded
  /// Vectors below 16 are delivered like any other.
  case illegalVectorsDelivered
  /// The APR reads as 0.
  case arbitrationPriorityZero
  /// A message of level deasserted is delivered as an asserted one.
  case messageLevelIgnored
  /// A message that is written elsewhere than to 0xfeexxxxx is delivered.
  case messageAddressIgnored
  /// Destination 0xff of a device reaches local APICs in x2APIC mode.
  case messageBroadcastInX2APIC
  /// A logical destination does not reach a local APIC that software has disabled, not even with an NMI or an INIT.
  case logicalDestinationNeedsSoftwareEnable
  /// Lowest priority is the destination whose number is the vector modulo their count.
  case lowestPriorityByVector
  /// x2APIC registers other than ICR, ESR and SELF IPI take reserved bits below bit 32, and drop them.
  case reservedBitsDropped
  /// The ICR of xAPIC mode keeps its reserved bits.
  case commandReservedBitsKept
  /// In x2APIC mode the ICR is kept in one place, and what xAPIC mode had as its upper half stays behind it.
  case commandHalvesApart
  /// Registers keep their values while IA32_APIC_BASE has the local APIC disabled.
  case stateKeptWhileDisabled
  /// The IOAPIC's polarity bit has no effect.
  case polarityIgnored
  /// Edges of pin 8, the RTC, are merged until every local APIC that has one in hand has ended it.
  case clockEdgesMerged
  /// A vCPU learns at its next entry which vectors' EOIs the IOAPIC is to hear of.
  case endOfInterruptMapAtEntry
  /// An IOAPIC that is set sends the edges again that its state has as pending.
  case pendingEdgesSentOnRestore
  /// LINT0 of the bootstrap processor is an unmasked ExtINT after reset.
  case lint0EnabledAtReset
  /// A message of the reserved delivery mode 3 is taken, and wakes a halted processor: KVM's own use of Remote Read.
  case reservedModeTaken
  /// A local APIC that is set gets its PPR from what was in service before, until something derives it again.
  case priorityStaleAfterRestore
  /// A DFR whose lower 28 bits are not ones, as only a restored state can have it, matches no logical destination.
  case destinationFormatComparedWhole
  /// A message to everybody with a redirection hint becomes a fixed interrupt to one, even an NMI or an INIT.
  case hintedBroadcastToOne
  /// Setting any of the chips has the slave PIC tell the master again what it wants.
  case cascadeUpdatedOnRestore
  /// A processor looks for interrupts when something has happened, and a LINT0 that is opened is nothing that happens. What
  /// happens to its thread counts too, so it may look at any entry.
  case interruptsSoughtOnEvent
  /// A count goes on through an INIT, and shows once the timer is in its reserved mode and the initial count is not 0.
  case countRememberedThroughReset
  /// The EOI of a level-triggered interrupt sends the edge again of a pin that has its vector and whose line is high.
  case edgeSentAgainAtEOI
  /// KVM_GET_VCPU_EVENTS says whether NMIs wait, not how many.
  case pendingNMIsReportedAsOne
  /// From x2APIC mode to xAPIC mode the ID stays as it is, and so does the map of destinations.
  case identifierKeptFromX2APIC
  /// The maps of destinations take no notice of IDs that several local APICs have: of a physical one the first counts, of a
  /// logical one the last, and of several bits the lowest. Where none is enabled by software there is no logical map.
  case aliasesUnnoticed
  /// In x2APIC mode KVM_SET_LAPIC takes an ID that is not the vCPU's, and the LDR follows it; messages go by the vCPU's.
  case identifierSettable
  /// When a vCPU leaves the guest its TPR becomes what CR8 has, which is the class alone.
  case taskPriorityFromCR8AtExit
  /// In x2APIC mode an INIT leaves the upper half of the ICR.
  case commandHighKeptThroughReset
  /// As `priorityStaleAfterRestore`, where APICv is active, for a local APIC that IA32_APIC_BASE disables.
  case priorityStaleWhileDisabled
  /// A guest that reads an x2APIC register that is not there gets what the page has, and no exception.
  case missingRegistersReadable
  /// A guest's SELF IPI is the processor's alone: it asks neither the SVR nor the TMR.
  case selfIPIVirtualized
  /// The service of an interrupt ends as it is delivered, not at the guest's EOI.
  case serviceEndsAtDelivery
  /// A local APIC in xAPIC mode with an ID that is not its vCPU's turns APICv off for every vCPU.
  case virtualizationInhibitedByIdentifier
  /// What has turned APICv off so keeps it off, though the ID is the vCPU's again.
  case inhibitionKept
  /// The TPR of x2APIC mode is the processor's, which minds its reserved bits. Without APICv, and while it is inhibited, a
  /// guest's write stays in the TPR shadow: the PPR is derived when KVM next looks, or where the TPR falls below the threshold.
  case taskPriorityShadowed
  /// The TPR threshold stays above a TPR that was lowered where that lets no interrupt in, and the processor refuses the next
  /// entry: KVM_RUN fails. In xAPIC mode the vCPU leaves the guest as soon as it has entered, and KVM_RUN does not return.
  case thresholdStaleAtEntry
  /// Who was reached by a pin's entry before its destination mode was written does not learn of it: the former destination is taken
  /// in the new mode.
  case formerDestinationInNewMode
  /// Where APICv comes back for a vCPU, the processor takes to be in service what was so when APICv went: its SVI stays as it was.
  case serviceVectorStale
  /// A guest's EOI with nothing in service ends the service of vector 0.
  case emptyServiceEnded
  /// What was to be injected at an entry that the processor refuses is injected at the next that it does not refuse.
  case eventKeptByRefusedEntry
  /// The PICs' output is what the last line, acknowledgement or command has made of it that looks at it: ICW1 to ICW4 do not, nor
  /// does a poll of the master that finds the slave.
  case picOutputKept
  /// ICW1 leaves the ISR of its chip but for the lines whose edge waits, and those too where no vCPU takes the PICs' interrupts. The
  /// data sheet says nothing of the ISR.
  case picServiceKeptByInitialization
  /// ICW1's SNGL has no effect: an ICW3 follows always.
  case picSingleModeIgnored
  /// Special mask mode has no effect.
  case picSpecialMaskIgnored
  /// A poll takes the request of a level-triggered line too, and ends the service that it begins: of the slave also that of the
  /// master's line 2.
  case picPollEndsService
  /// A poll that finds nothing reads 7, where the data sheet has bit 7 alone.
  case picEmptyPollReadsSeven
  /// A poll says which line it has found, but not by bit 7 that it has found one.
  case picPollWithoutBit7
  /// A message of the reserved delivery mode ends a later HLT even where INIT, SIPI or KVM_SET_MP_STATE have set the processor running
  /// meanwhile.
  case wakeUpKept
  /// An NMI that has come since the processor last executed something ends a halt, though NMIs are masked or an INIT has taken it.
  case everyNMIEndsHalt
  /// A vCPU that the host takes out between STI and the instruction behind it may take an interrupt before that instruction.
  case shadowLostAtExit
  /// An edge of an IOAPIC's pin ends the wait for the EOI of pin 8's interrupt where it has that pin's vector, and a vCPU that it goes
  /// to has the vector not in hand any more.
  case clockEndSought
}

extension Deviation {
  /// A stable name, as options and files have it.
  public var name: String { "\(self)" }

  /// The kernel function that does it.
  public var function: String {
    switch self {
    case .errorsUnrecorded: "kvm_lapic_reg_write"
    case .illegalVectorsDelivered: "__apic_accept_irq"
    case .arbitrationPriorityZero: "__apic_read"
    case .messageLevelIgnored: "kvm_set_msi_irq"
    case .messageAddressIgnored: "kvm_set_msi"
    case .messageBroadcastInX2APIC: "kvm_apic_mda"
    case .logicalDestinationNeedsSoftwareEnable: "kvm_recalculate_logical_map"
    case .lowestPriorityByVector: "kvm_vector_to_index"
    case .reservedBitsDropped, .commandReservedBitsKept: "kvm_lapic_reg_write"
    case .commandHalvesApart: "kvm_x2apic_icr_write"
    case .stateKeptWhileDisabled: "__kvm_apic_set_base"
    case .polarityIgnored: "ioapic_set_irq"
    case .clockEdgesMerged: "rtc_irq_check_coalesced"
    case .endOfInterruptMapAtEntry: "kvm_ioapic_handles_vector"
    case .pendingEdgesSentOnRestore: "kvm_ioapic_inject_all"
    case .lint0EnabledAtReset: "kvm_lapic_reset"
    case .reservedModeTaken: "__apic_accept_irq"
    case .priorityStaleAfterRestore: "kvm_apic_set_state"
    case .destinationFormatComparedWhole: "kvm_apic_match_logical_addr"
    case .hintedBroadcastToOne: "kvm_irq_delivery_to_apic"
    case .cascadeUpdatedOnRestore: "kvm_vm_ioctl_set_irqchip"
    case .countRememberedThroughReset: "kvm_lapic_reset"
    case .edgeSentAgainAtEOI: "kvm_ioapic_update_eoi_one"
    case .interruptsSoughtOnEvent: "vcpu_enter_guest"
    case .pendingNMIsReportedAsOne: "kvm_vcpu_ioctl_x86_get_vcpu_events"
    case .identifierKeptFromX2APIC: "kvm_lapic_set_base"
    case .aliasesUnnoticed: "kvm_recalculate_apic_map"
    case .identifierSettable: "kvm_apic_state_fixup"
    case .taskPriorityFromCR8AtExit: "sync_cr8_to_lapic"
    case .commandHighKeptThroughReset: "kvm_lapic_reset"
    case .priorityStaleWhileDisabled: "kvm_vcpu_update_apicv"
    case .missingRegistersReadable: "vmx_update_msr_bitmap_x2apic"
    case .selfIPIVirtualized: "vmx_update_msr_bitmap_x2apic; SDM volume 3C, section 31.1.5"
    case .serviceEndsAtDelivery: "kvm_lapic_set_eoi, which the back end kvm_pvm calls"
    case .virtualizationInhibitedByIdentifier, .inhibitionKept: "kvm_lapic_xapic_id_updated"
    case .taskPriorityShadowed: "vmx_update_msr_bitmap_x2apic, handle_tpr_below_threshold"
    case .formerDestinationInNewMode: "ioapic_write_indirect"
    case .thresholdStaleAtEntry: "handle_tpr_below_threshold, apic_update_ppr"
    case .serviceVectorStale: "__kvm_vcpu_update_apicv"
    case .eventKeptByRefusedEntry: "vmx_vcpu_run, before vmx_complete_interrupts"
    case .emptyServiceEnded: "handle_apic_eoi_induced; SDM volume 3C, section 31.1.4"
    case .everyNMIEndsHalt: "kvm_vcpu_has_events, which asks for KVM_REQ_NMI"
    case .clockEndSought: "ioapic_lazy_update_eoi"
    case .shadowLostAtExit: "none; helper_vmrun of QEMU"
    case .wakeUpKept: "kvm_apic_accept_events, kvm_arch_vcpu_ioctl_set_mpstate"
    case .picOutputKept: "pic_irq_request, which kvm_pic_reset and pic_poll_read do not call"
    case .picServiceKeptByInitialization: "kvm_pic_reset"
    case .picSingleModeIgnored: "pic_ioport_write"
    case .picSpecialMaskIgnored: "pic_get_irq"
    case .picPollEndsService, .picEmptyPollReadsSeven, .picPollWithoutBit7: "pic_poll_read"
    }
  }

  /// The kernels that do it. `all` is what the sources of 6.16 say, and nothing of the kernels before that were not read.
  public var versions: String {
    switch self {
    case .lowestPriorityByVector: "from 4.6, unless kvm.vector_hashing=0"
    case .messageBroadcastInX2APIC: "all, unless KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK is set (4.8)"
    case .commandHalvesApart: "from 5.18; not on AMD from 6.12, and in stable kernels with the same change"
    case .clockEdgesMerged: "from 3.10"
    case .priorityStaleAfterRestore: "where APICv is not active"
    case .pendingNMIsReportedAsOne: "before 6.4"
    case .identifierKeptFromX2APIC, .aliasesUnnoticed: "before 6.3"
    case .identifierSettable: "before 6.11"
    case .taskPriorityFromCR8AtExit: "on AMD without AVIC"
    case .commandHighKeptThroughReset: "on AMD from 6.12, and in stable kernels with the same change"
    case .priorityStaleWhileDisabled: "where APICv is active; seen on 6.1"
    case .missingRegistersReadable: "before 6.3, where APICv is active"
    case .selfIPIVirtualized: "where APICv is active"
    case .serviceEndsAtDelivery: "none of Linux; the back end kvm_pvm"
    case .virtualizationInhibitedByIdentifier: "where APICv is there"
    case .inhibitionKept: "before 6.3, where APICv is there"
    case .taskPriorityShadowed: "on Intel with a TPR shadow, where APICv is not active; seen on 6.1"
    case .thresholdStaleAtEntry:
      "from commit eb90f3417a0c on, on Intel with a TPR shadow, where APICv is not active; seen on 6.1"
    case .serviceVectorStale: "before 6.19, on Intel where APICv is there"
    case .eventKeptByRefusedEntry: "on Intel; seen on 6.1"
    case .emptyServiceEnded: "on Intel where APICv is active; seen on 6.1"
    case .picPollWithoutBit7: "before 6.5"
    case .wakeUpKept: "before 6.15"
    case .clockEndSought: "from 5.7, where APICv is there"
    case .shadowLostAtExit: "none of Linux; the AMD processor that QEMU emulates"
    case .lint0EnabledAtReset: "all, unless KVM_X86_QUIRK_LINT0_REENABLED is disabled"
    default: "all"
    }
  }
}
