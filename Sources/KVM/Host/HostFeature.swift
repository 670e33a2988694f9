/// One thing that a host can or cannot do for interrupts, and how that is known.
public struct HostFeature: Hashable, Sendable {
  /// What a survey looks for.
  public enum ID: String, Hashable, Sendable, CaseIterable {
    /// /dev/kvm can be opened.
    case device
    /// PIC, IOAPIC and local APICs in the kernel.
    case irqChip = "irqchip"
    /// Local APICs alone in the kernel.
    case splitIRQChip = "split-irqchip"
    /// 32-bit APIC IDs.
    case x2APICAPI = "x2apic-api"
    /// The guest may suppress EOI broadcasts.
    case suppressEOIBroadcast = "suppress-eoi-broadcast"
    /// A choice of the APIC bus frequency.
    case apicBusFrequency = "apic-bus-frequency"
    /// Statistics by name.
    case statistics
    /// Single-stepping without interrupts.
    case blockIRQ = "blockirq"
    /// Virtual-interrupt delivery: APICv or AVIC.
    case apicv
    /// Interrupts posted to a running vCPU without an exit.
    case postedInterrupts = "posted-interrupts"
    /// Interrupts of devices posted by the IOMMU.
    case devicePostedInterrupts = "device-posted-interrupts"
    /// IPIs without an exit.
    case ipiVirtualization = "ipi-virtualization"
    /// TPR accesses without an exit.
    case tprShadow = "tpr-shadow"
    /// NMI blocking by the hardware.
    case virtualNMI = "virtual-nmi"
    /// The APIC timer by VT-x's preemption timer.
    case preemptionTimer = "preemption-timer"
    /// Trust domains.
    case tdx
    /// Tracepoints, which show the path of an interrupt.
    case tracefs
  }

  /// Whether the host has it.
  public enum State: String, Hashable, Sendable, Codable {
    /// It has.
    case available
    /// It has not.
    case missing
    /// Nothing tells.
    case unknown
  }

  /// What it is.
  public var id: ID

  /// Whether the host has it.
  public var state: State

  /// Whether the host has it; nil where nothing tells.
  public var isAvailable: Bool? {
    switch state {
    case .available: true
    case .missing: false
    case .unknown: nil
    }
  }

  /// What that was concluded from.
  public var evidence: String

  /// What to do to get it, where something can be done.
  public var hint: String?

  /// A finding.
  public init(_ id: ID, _ state: State, evidence: String, hint: String? = nil) {
    self.id = id
    self.state = state
    self.evidence = evidence
    self.hint = hint
  }
}

extension HostFeature.ID {
  /// What a person calls it.
  public var title: String {
    switch self {
    case .device: "access to /dev/kvm"
    case .irqChip: "in-kernel irqchip"
    case .splitIRQChip: "split irqchip"
    case .x2APICAPI: "32-bit x2APIC IDs"
    case .suppressEOIBroadcast: "EOI-broadcast suppression"
    case .apicBusFrequency: "APIC bus frequency"
    case .statistics: "binary statistics"
    case .blockIRQ: "stepping with interrupts blocked"
    case .apicv: "virtual-interrupt delivery (APICv, AVIC)"
    case .postedInterrupts: "posted interrupts"
    case .devicePostedInterrupts: "device posted interrupts"
    case .ipiVirtualization: "IPI virtualization"
    case .tprShadow: "TPR shadow"
    case .virtualNMI: "virtual NMI"
    case .preemptionTimer: "VMX preemption timer"
    case .tdx: "TDX"
    case .tracefs: "tracepoints"
    }
  }
}
