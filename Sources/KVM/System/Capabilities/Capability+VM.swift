import CKVM

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
