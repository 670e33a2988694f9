import CKVM

// Capabilities of vCPUs and their exits (KVM API, section 8 and the "Capability" line of each call).
extension Capability {
  /// How many vCPUs a machine should have at most.
  public static let nrVCPUs = Capability("KVM_CAP_NR_VCPUS", KVM_CAP_NR_VCPUS)

  /// How many vCPUs a machine can have.
  public static let maxVCPUs = Capability("KVM_CAP_MAX_VCPUS", KVM_CAP_MAX_VCPUS)

  /// The number that vCPU ids stay below.
  public static let maxVCPUID = Capability("KVM_CAP_MAX_VCPU_ID", KVM_CAP_MAX_VCPU_ID)

  /// Whether a vCPU runs, halts or waits (KVM_GET_MP_STATE).
  public static let mpState = Capability("KVM_CAP_MP_STATE", KVM_CAP_MP_STATE)

  /// Pending exceptions, interrupts and NMIs as state.
  public static let vcpuEvents = Capability("KVM_CAP_VCPU_EVENTS", KVM_CAP_VCPU_EVENTS)

  /// The payload of pending exceptions (DR6, CR2) as state.
  public static let exceptionPayload = Capability("KVM_CAP_EXCEPTION_PAYLOAD", KVM_CAP_EXCEPTION_PAYLOAD)

  /// A pending triple fault as state.
  public static let tripleFaultEvent = Capability("KVM_CAP_X86_TRIPLE_FAULT_EVENT", KVM_CAP_X86_TRIPLE_FAULT_EVENT)

  /// Interrupt shadows as part of the events.
  public static let interruptShadow = Capability("KVM_CAP_INTR_SHADOW", KVM_CAP_INTR_SHADOW)

  /// Single-stepping and breakpoints (KVM_SET_GUEST_DEBUG).
  public static let setGuestDebug = Capability("KVM_CAP_SET_GUEST_DEBUG", KVM_CAP_SET_GUEST_DEBUG)

  /// The debug flags known, KVM_GUESTDBG_BLOCKIRQ among them.
  public static let setGuestDebug2 = Capability("KVM_CAP_SET_GUEST_DEBUG2", KVM_CAP_SET_GUEST_DEBUG2)

  /// Debug registers as state.
  public static let debugRegs = Capability("KVM_CAP_DEBUGREGS", KVM_CAP_DEBUGREGS)

  /// Extended processor state.
  public static let xsave = Capability("KVM_CAP_XSAVE", KVM_CAP_XSAVE)

  /// How many bytes of extended state a machine's vCPUs have.
  public static let xsave2 = Capability("KVM_CAP_XSAVE2", KVM_CAP_XSAVE2)

  /// Extended control registers as state.
  public static let xcrs = Capability("KVM_CAP_XCRS", KVM_CAP_XCRS)

  /// Page directory pointers with the special registers.
  public static let sregs2 = Capability("KVM_CAP_SREGS2", KVM_CAP_SREGS2)

  /// Registers shared through the run page; the value is the kinds known.
  public static let syncRegs = Capability("KVM_CAP_SYNC_REGS", KVM_CAP_SYNC_REGS)

  /// State of a nested hypervisor; the value is its largest size in bytes.
  public static let nestedState = Capability("KVM_CAP_NESTED_STATE", KVM_CAP_NESTED_STATE)

  /// System management mode.
  public static let smm = Capability("KVM_CAP_X86_SMM", KVM_CAP_X86_SMM)

  /// Leaving KVM_RUN without losing a wake-up (immediate_exit).
  public static let immediateExit = Capability("KVM_CAP_IMMEDIATE_EXIT", KVM_CAP_IMMEDIATE_EXIT)

  /// Instructions that need not leave the guest; the value is the flags known.
  public static let disableExits = Capability("KVM_CAP_X86_DISABLE_EXITS", KVM_CAP_X86_DISABLE_EXITS)

  /// MSR accesses handled in user space; the value is the reasons known.
  public static let userSpaceMSR = Capability("KVM_CAP_X86_USER_SPACE_MSR", KVM_CAP_X86_USER_SPACE_MSR)

  /// The choice which MSR accesses those are.
  public static let msrFilter = Capability("KVM_CAP_X86_MSR_FILTER", KVM_CAP_X86_MSR_FILTER)

  /// Feature MSRs of the host.
  public static let msrFeatures = Capability("KVM_CAP_GET_MSR_FEATURES", KVM_CAP_GET_MSR_FEATURES)

  /// CPUID leaves with an index (KVM_SET_CPUID2).
  public static let extCPUID = Capability("KVM_CAP_EXT_CPUID", KVM_CAP_EXT_CPUID)

  /// CPUID leaves that can be emulated.
  public static let extEmulatedCPUID = Capability("KVM_CAP_EXT_EMUL_CPUID", KVM_CAP_EXT_EMUL_CPUID)

  /// A TSC frequency per vCPU.
  public static let tscControl = Capability("KVM_CAP_TSC_CONTROL", KVM_CAP_TSC_CONTROL)

  /// A default TSC frequency per machine.
  public static let vmTSCControl = Capability("KVM_CAP_VM_TSC_CONTROL", KVM_CAP_VM_TSC_CONTROL)

  /// Reading the TSC frequency.
  public static let getTSCKHz = Capability("KVM_CAP_GET_TSC_KHZ", KVM_CAP_GET_TSC_KHZ)

  /// Telling a guest that it was paused.
  public static let kvmclockCtrl = Capability("KVM_CAP_KVMCLOCK_CTRL", KVM_CAP_KVMCLOCK_CTRL)

  /// HLT leaves the guest.
  public static let halt = Capability("KVM_CAP_HLT", KVM_CAP_HLT)

  /// A halt-polling limit per machine.
  public static let haltPoll = Capability("KVM_CAP_HALT_POLL", KVM_CAP_HALT_POLL)

  /// Exits on bus locks.
  public static let busLockExit = Capability("KVM_CAP_X86_BUS_LOCK_EXIT", KVM_CAP_X86_BUS_LOCK_EXIT)

  /// Exits when a guest blocks interrupts too long.
  public static let notifyVMExit = Capability("KVM_CAP_X86_NOTIFY_VMEXIT", KVM_CAP_X86_NOTIFY_VMEXIT)

  /// Hypercalls handled in user space; the value is the ones possible.
  public static let exitHypercall = Capability("KVM_CAP_EXIT_HYPERCALL", KVM_CAP_EXIT_HYPERCALL)

  /// Failed emulation always leaves to user space.
  public static let exitOnEmulationFailure = Capability(
    "KVM_CAP_EXIT_ON_EMULATION_FAILURE", KVM_CAP_EXIT_ON_EMULATION_FAILURE)

  /// Internal errors come with data.
  public static let internalErrorData = Capability("KVM_CAP_INTERNAL_ERROR_DATA", KVM_CAP_INTERNAL_ERROR_DATA)

  /// System events come with data.
  public static let systemEventData = Capability("KVM_CAP_SYSTEM_EVENT_DATA", KVM_CAP_SYSTEM_EVENT_DATA)

  /// Faults on guest memory come with the address.
  public static let memoryFaultInfo = Capability("KVM_CAP_MEMORY_FAULT_INFO", KVM_CAP_MEMORY_FAULT_INFO)

  static let vcpuGroup: [Capability] = [
    .nrVCPUs, .maxVCPUs, .maxVCPUID, .mpState, .vcpuEvents, .exceptionPayload, .tripleFaultEvent, .interruptShadow,
    .setGuestDebug, .setGuestDebug2, .debugRegs, .xsave, .xsave2, .xcrs, .sregs2, .syncRegs, .nestedState, .smm,
    .immediateExit, .disableExits, .userSpaceMSR, .msrFilter, .msrFeatures, .extCPUID, .extEmulatedCPUID,
    .tscControl, .vmTSCControl, .getTSCKHz, .kvmclockCtrl, .halt, .haltPoll, .busLockExit, .notifyVMExit,
    .exitHypercall, .exitOnEmulationFailure, .internalErrorData, .systemEventData, .memoryFaultInfo,
  ]
}
