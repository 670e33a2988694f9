public import KVM

/// Something that a host must have for a scenario to be run there.
public enum Need: Hashable, Sendable {
  /// A KVM capability.
  case capability(Capability)
  /// A feature that the host survey finds.
  case feature(HostFeature.ID)
  /// Something that only trying tells.
  case trait(HostTrait)
}

extension Need: CustomStringConvertible {
  /// Its name: a feature's id, a trait's, or a capability's, such as `KVM_CAP_SPLIT_IRQCHIP`.
  public var name: String {
    switch self {
    case .capability(let capability): capability.name
    case .feature(let id): id.rawValue
    case .trait(let trait): trait.rawValue
    }
  }

  /// The same.
  public var description: String { name }

  /// The need of that name, or of a short form of it; nil where there is none.
  ///
  /// - Parameter name: `apicv`, `posted`, `tracepoints`, a feature's id, a trait's, or a capability's name.
  public init?(named name: String) {
    let shortForms: [String: HostFeature.ID] = [
      "posted": .postedInterrupts, "device-posted": .devicePostedInterrupts, "tracepoints": .tracefs,
      "ipiv": .ipiVirtualization, "split": .splitIRQChip, "x2apic": .x2APICAPI,
    ]
    if let id = HostFeature.ID(rawValue: name) ?? shortForms[name] {
      self = .feature(id)
    } else if let trait = HostTrait(rawValue: name) {
      self = .trait(trait)
    } else if let capability = Capability.known.first(where: { $0.name == name }) {
      self = Need.capability(capability).canonical
    } else {
      return nil
    }
  }

  /// The same need said in one way: some capabilities are features of a host too.
  var canonical: Need {
    switch self {
    case .capability(.irqChip): .feature(.irqChip)
    case .capability(.splitIRQChip): .feature(.splitIRQChip)
    case .capability(.apicBusCycles): .feature(.apicBusFrequency)
    case .capability(.binaryStatsFD): .feature(.statistics)
    default: self
    }
  }
}

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
  /// A VM entry keeps the interrupt shadow that KVM asks for (KVM_SET_VCPU_EVENTS). Without it an interrupt may come
  /// between STI and HLT, and the HLT wait for another.
  case enteredShadow = "interrupt-shadow-at-entry"
  /// The TSC is one on all processors of the host, so that KVM can keep it one on all vCPUs (`kvm_check_tsc_unstable`).
  case steadyTSC = "steady-tsc"
  /// Two instructions in a row that hold interrupts off do so one after the other, as processors do. QEMU's emulation does
  /// not, and no processor need: the SDM promises it of the first alone (volume 3A, section 7.8.3).
  case consecutiveShadows = "consecutive-interrupt-shadows"
  /// The processor checks the reserved bits of CR8, as it must.
  case reservedCR8Bits = "reserved-bits-of-cr8"
  /// KVM keeps all of a guest's task priority, not its class alone, which is what CR8 has.
  case taskPrioritySubclass = "task-priority-subclass"
  /// An interrupt for an xAPIC id that several vCPUs have reaches all of them (Linux 6.3).
  case aliasedIDs = "aliased-xapic-ids"
  /// A read of an x2APIC register that is not there, or cannot be read, raises #GP under APICv too (Linux 6.3).
  case checkedRegisterReads = "checked-x2apic-reads"
  /// Writes to the TPR in memory leave the guest, so that KVM can report them (KVM_TPR_ACCESS_REPORTING).
  case reportedTPRAccesses = "reported-tpr-accesses"
  /// A vCPU that has its own xAPIC id again no longer keeps APICv off (Linux 6.3).
  case restoredIDs = "restored-xapic-ids"
  /// A local APIC that is disabled, or waits for a start-up IPI, drops a fixed IPI. A processor that sends IPIs itself sets them in
  /// the posted-interrupt descriptor of the target, whatever its local APIC says.
  case disabledAPICsDropIPIs = "disabled-apics-drop-ipis"
  /// A processor that sends IPIs itself leaves those to several vCPUs, by a logical destination or a shorthand, to the kernel,
  /// as Intel's do. AMD's AVIC sends them too.
  case exitingGroupIPIs = "exits-for-ipis-to-groups"
  /// The EOI of an interrupt that is in service when APICv comes back ends that service (Linux 6.19).
  case serviceThroughActivation = "in-service-when-apicv-returns"
}

/// How a scenario's interrupts must get to the guest.
public enum PathDemand: Hashable, Sendable {
  /// Any way will do.
  case any
  /// Injected by software at VM entry.
  case software
  /// Posted by hardware on hosts that can; injected by software on others.
  case postedOrSoftware
  /// Never injected on hosts with APICv; injected by software on others.
  case virtualDeliveryOrSoftware
  /// By virtual-interrupt delivery or posted: never injected. Hosts without APICv skip the scenario.
  case virtualDelivery
  /// Posted to a vCPU that stays in the guest. Hosts without posted interrupts skip the scenario.
  case posted
}
