import CKVM

/// Something that KVM can or cannot do on a host (KVM API, KVM_CHECK_EXTENSION).
public struct Capability: RawRepresentable, Sendable {
  /// KVM's number.
  public let rawValue: UInt32

  /// The constant's name in `linux/kvm.h`, such as `KVM_CAP_IRQCHIP`.
  public let name: String

  /// The capability with that number, whether this library knows it or not.
  public init(rawValue: UInt32) {
    self = Self.known.first { $0.rawValue == rawValue } ?? Capability("KVM_CAP_\(rawValue)", rawValue)
  }

  init(_ name: String, _ rawValue: some BinaryInteger) {
    self.rawValue = UInt32(rawValue)
    self.name = name
  }

  /// The capabilities that interrupts, vCPUs and machines involve, in that order: what a survey of a host asks about.
  public static let known: [Capability] = interruptsGroup + vcpuGroup + vmGroup
}

extension Capability: Hashable {
  /// Whether two capabilities have the same number.
  public static func == (left: Capability, right: Capability) -> Bool { left.rawValue == right.rawValue }

  /// Feeds the number to a hasher.
  public func hash(into hasher: inout Hasher) { hasher.combine(rawValue) }
}

extension Capability: CustomStringConvertible {
  /// The constant's name.
  public var description: String { name }
}

// Capabilities of the machine as a whole (KVM API, section 8 and the "Capability" line of each call).
extension Capability {
  /// Guest memory from user space.
  public static let userMemory = Capability("KVM_CAP_USER_MEMORY", KVM_CAP_USER_MEMORY)

  /// How many memory slots a machine can have.
  public static let nrMemslots = Capability("KVM_CAP_NR_MEMSLOTS", KVM_CAP_NR_MEMSLOTS)

  /// Slots that the guest cannot write.
  public static let readOnlyMemory = Capability("KVM_CAP_READONLY_MEM", KVM_CAP_READONLY_MEM)

  /// Changes of the host mapping reach the guest.
  public static let syncMMU = Capability("KVM_CAP_SYNC_MMU", KVM_CAP_SYNC_MMU)

  /// A place for the real-mode TSS.
  public static let setTSSAddr = Capability("KVM_CAP_SET_TSS_ADDR", KVM_CAP_SET_TSS_ADDR)

  /// A place for the identity map.
  public static let setIdentityMapAddr = Capability("KVM_CAP_SET_IDENTITY_MAP_ADDR", KVM_CAP_SET_IDENTITY_MAP_ADDR)

  /// Clearing the dirty log apart from reading it; the value is the flags known.
  public static let manualDirtyLogProtect2 = Capability(
    "KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2", KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2)

  /// Dirty pages in a ring; the value is its largest size in bytes.
  public static let dirtyLogRing = Capability("KVM_CAP_DIRTY_LOG_RING", KVM_CAP_DIRTY_LOG_RING)

  /// Reading and setting kvmclock; the value is the flags known.
  public static let adjustClock = Capability("KVM_CAP_ADJUST_CLOCK", KVM_CAP_ADJUST_CLOCK)

  /// Statistics by name (KVM_GET_STATS_FD).
  public static let binaryStatsFD = Capability("KVM_CAP_BINARY_STATS_FD", KVM_CAP_BINARY_STATS_FD)

  /// Enabling capabilities on a machine.
  public static let enableCapVM = Capability("KVM_CAP_ENABLE_CAP_VM", KVM_CAP_ENABLE_CAP_VM)

  /// Asking a machine about capabilities.
  public static let checkExtensionVM = Capability("KVM_CAP_CHECK_EXTENSION_VM", KVM_CAP_CHECK_EXTENSION_VM)

  /// The types of machine, as bits.
  public static let vmTypes = Capability("KVM_CAP_VM_TYPES", KVM_CAP_VM_TYPES)

  /// How wide a guest-physical address is.
  public static let vmGPABits = Capability("KVM_CAP_VM_GPA_BITS", KVM_CAP_VM_GPA_BITS)

  /// Behaviours kept for old user space; the value is those that can go.
  public static let disableQuirks2 = Capability("KVM_CAP_DISABLE_QUIRKS2", KVM_CAP_DISABLE_QUIRKS2)

  /// Switching the virtual PMU off.
  public static let pmu = Capability("KVM_CAP_PMU_CAPABILITY", KVM_CAP_PMU_CAPABILITY)

  /// Exits say whether a nested guest ran.
  public static let guestMode = Capability("KVM_CAP_X86_GUEST_MODE", KVM_CAP_X86_GUEST_MODE)

  /// Hyper-V's enlightenments.
  public static let hyperv = Capability("KVM_CAP_HYPERV", KVM_CAP_HYPERV)

  /// The CPUID leaves of Hyper-V that KVM can play, asked of /dev/kvm.
  public static let sysHypervCPUID = Capability("KVM_CAP_SYS_HYPERV_CPUID", KVM_CAP_SYS_HYPERV_CPUID)

  static let vmGroup: [Capability] = [
    .userMemory, .nrMemslots, .readOnlyMemory, .syncMMU, .setTSSAddr, .setIdentityMapAddr, .manualDirtyLogProtect2,
    .dirtyLogRing, .adjustClock, .binaryStatsFD, .enableCapVM, .checkExtensionVM, .vmTypes, .vmGPABits,
    .disableQuirks2, .pmu, .guestMode, .hyperv,
    .sysHypervCPUID,
  ]
}

// Capabilities of interrupts and interrupt controllers (KVM API, section 8 and the "Capability" line of each call).
extension Capability {
  /// Interrupt controllers in the kernel (KVM_CREATE_IRQCHIP).
  public static let irqChip = Capability("KVM_CAP_IRQCHIP", KVM_CAP_IRQCHIP)

  /// Local APICs in the kernel, PIC and IOAPIC in user space.
  public static let splitIRQChip = Capability("KVM_CAP_SPLIT_IRQCHIP", KVM_CAP_SPLIT_IRQCHIP)

  /// GSI routing; the value is how many entries a table may have.
  public static let irqRouting = Capability("KVM_CAP_IRQ_ROUTING", KVM_CAP_IRQ_ROUTING)

  /// Raising a line says what became of it (KVM_IRQ_LINE_STATUS).
  public static let irqInjectStatus = Capability("KVM_CAP_IRQ_INJECT_STATUS", KVM_CAP_IRQ_INJECT_STATUS)

  /// Interrupts raised through an eventfd.
  public static let irqFD = Capability("KVM_CAP_IRQFD", KVM_CAP_IRQFD)

  /// Level-triggered ones too, lowered at EOI.
  public static let irqFDResample = Capability("KVM_CAP_IRQFD_RESAMPLE", KVM_CAP_IRQFD_RESAMPLE)

  /// Guest writes that signal an eventfd.
  public static let ioEventFD = Capability("KVM_CAP_IOEVENTFD", KVM_CAP_IOEVENTFD)

  /// The same for MMIO writes of any length.
  public static let ioEventFDNoLength = Capability("KVM_CAP_IOEVENTFD_NO_LENGTH", KVM_CAP_IOEVENTFD_NO_LENGTH)

  /// The same for MMIO and port writes of any length.
  public static let ioEventFDAnyLength = Capability("KVM_CAP_IOEVENTFD_ANY_LENGTH", KVM_CAP_IOEVENTFD_ANY_LENGTH)

  /// Sending an MSI without a route (KVM_SIGNAL_MSI).
  public static let signalMSI = Capability("KVM_CAP_SIGNAL_MSI", KVM_CAP_SIGNAL_MSI)

  /// The interval timer in the kernel (KVM_CREATE_PIT2).
  public static let pit2 = Capability("KVM_CAP_PIT2", KVM_CAP_PIT2)

  /// Its whole state (KVM_GET_PIT2).
  public static let pitState2 = Capability("KVM_CAP_PIT_STATE2", KVM_CAP_PIT_STATE2)

  /// The choice whether missed ticks are delivered late.
  public static let reinjectControl = Capability("KVM_CAP_REINJECT_CONTROL", KVM_CAP_REINJECT_CONTROL)

  /// The IOAPIC's polarity bit has no effect.
  public static let ioapicPolarityIgnored = Capability(
    "KVM_CAP_IOAPIC_POLARITY_IGNORED", KVM_CAP_IOAPIC_POLARITY_IGNORED)

  /// The paravirtual TPR page and TPR access reports.
  public static let vapic = Capability("KVM_CAP_VAPIC", KVM_CAP_VAPIC)

  /// The local APIC timer's TSC-deadline mode.
  public static let tscDeadlineTimer = Capability("KVM_CAP_TSC_DEADLINE_TIMER", KVM_CAP_TSC_DEADLINE_TIMER)

  /// 32-bit APIC IDs and EOI-broadcast choices; the value is the flags known.
  public static let x2APICAPI = Capability("KVM_CAP_X2APIC_API", KVM_CAP_X2APIC_API)

  /// A choice of the APIC bus frequency; the value is the default period in nanoseconds.
  public static let apicBusCycles = Capability("KVM_CAP_X86_APIC_BUS_CYCLES_NS", KVM_CAP_X86_APIC_BUS_CYCLES_NS)

  /// The choice which vCPU is the bootstrap processor.
  public static let setBootCPUID = Capability("KVM_CAP_SET_BOOT_CPU_ID", KVM_CAP_SET_BOOT_CPU_ID)

  /// Sending an NMI (KVM_NMI).
  public static let userNMI = Capability("KVM_CAP_USER_NMI", KVM_CAP_USER_NMI)

  /// Hyper-V's synthetic interrupt controller.
  public static let hypervSynIC = Capability("KVM_CAP_HYPERV_SYNIC", KVM_CAP_HYPERV_SYNIC)

  /// The same without automatic EOI.
  public static let hypervSynIC2 = Capability("KVM_CAP_HYPERV_SYNIC2", KVM_CAP_HYPERV_SYNIC2)

  /// Hyper-V's paravirtual APIC MSRs.
  public static let hypervVAPIC = Capability("KVM_CAP_HYPERV_VAPIC", KVM_CAP_HYPERV_VAPIC)

  /// Hyper-V's IPI hypercalls.
  public static let hypervSendIPI = Capability("KVM_CAP_HYPERV_SEND_IPI", KVM_CAP_HYPERV_SEND_IPI)

  /// Xen's hypercalls and event channels; the value is the flags known.
  public static let xenHVM = Capability("KVM_CAP_XEN_HVM", KVM_CAP_XEN_HVM)

  /// Paravirtual page-ready events as interrupts.
  public static let asyncPFInt = Capability("KVM_CAP_ASYNC_PF_INT", KVM_CAP_ASYNC_PF_INT)

  /// Paravirtual page faults that need not wait.
  public static let asyncPF = Capability("KVM_CAP_ASYNC_PF", KVM_CAP_ASYNC_PF)

  static let interruptsGroup: [Capability] = [
    .irqChip, .splitIRQChip, .irqRouting, .irqInjectStatus, .irqFD, .irqFDResample, .ioEventFD, .ioEventFDNoLength,
    .ioEventFDAnyLength, .signalMSI, .pit2, .pitState2, .reinjectControl, .ioapicPolarityIgnored, .vapic,
    .tscDeadlineTimer, .x2APICAPI, .apicBusCycles, .setBootCPUID, .userNMI, .hypervSynIC, .hypervSynIC2,
    .hypervVAPIC, .hypervSendIPI, .xenHVM, .asyncPFInt, .asyncPF,
  ]
}
