public import SystemPackage

/// A call that the kernel refused: which, why, and what to do about it.
public struct KVMError: Error, Hashable, Sendable {
  /// The call that failed.
  public var call: KVMCall

  /// The kernel's answer.
  public var errno: Errno

  /// What the call was about, such as a path or an index, where that helps.
  public var detail: String?

  /// The error of a call.
  public init(call: KVMCall, errno: Errno, detail: String? = nil) {
    self.call = call
    self.errno = errno
    self.detail = detail
  }
}

extension KVMError {
  /// Whether the host, or what this process may have of it, had no room: descriptors, threads or memory (errno(3): `EMFILE`,
  /// `ENFILE`, `EAGAIN`, `ENOMEM`, `ENOSPC`). It says nothing of what the call was about.
  public var isShortage: Bool { Self.shortages.contains(errno) }

  private static let shortages: Set<Errno> = [
    .tooManyOpenFiles, .tooManyOpenFilesInSystem, .resourceTemporarilyUnavailable, .noMemory, .noSpace,
  ]
}

extension KVMError: CustomStringConvertible {
  /// `KVM_SET_GSI_ROUTING failed: EINVAL (Invalid argument): what that usually means`.
  public var description: String {
    let subject = detail.map { "\(call)(\($0))" } ?? call.rawValue
    let reason = "\(subject) failed: \(errno.symbol) (\(errno))"
    guard let hint else { return reason }
    return "\(reason): \(hint)"
  }
}

/// The answer of a shim call, or the error that a negative one stands for.
///
/// `detail` is evaluated only for an error.
@discardableResult @inline(__always)
func attempt(
  _ call: KVMCall, _ answer: Int32, detail: @autoclosure () -> String? = nil
) throws(KVMError) -> Int32 {
  guard answer < 0 else { return answer }
  throw KVMError(call: call, errno: Errno(rawValue: -answer), detail: detail())
}

/// A call of the KVM API, or one of the few other system calls that this library makes, by the name it is documented under.
public enum KVMCall: String, Hashable, Sendable, CaseIterable {
  // System calls.
  case open = "open"
  case mmap = "mmap"
  case eventfd = "eventfd"
  case read = "read"
  case write = "write"

  // On /dev/kvm.
  case getAPIVersion = "KVM_GET_API_VERSION"
  case createVM = "KVM_CREATE_VM"
  case checkExtension = "KVM_CHECK_EXTENSION"
  case getVCPUMmapSize = "KVM_GET_VCPU_MMAP_SIZE"
  case getSupportedCPUID = "KVM_GET_SUPPORTED_CPUID"
  case getEmulatedCPUID = "KVM_GET_EMULATED_CPUID"
  case getSupportedHVCPUID = "KVM_GET_SUPPORTED_HV_CPUID"
  case getMSRIndexList = "KVM_GET_MSR_INDEX_LIST"
  case getMSRFeatureIndexList = "KVM_GET_MSR_FEATURE_INDEX_LIST"

  // On a VM.
  case createVCPU = "KVM_CREATE_VCPU"
  case enableCap = "KVM_ENABLE_CAP"
  case setUserMemoryRegion = "KVM_SET_USER_MEMORY_REGION"
  case getDirtyLog = "KVM_GET_DIRTY_LOG"
  case clearDirtyLog = "KVM_CLEAR_DIRTY_LOG"
  case setBootCPUID = "KVM_SET_BOOT_CPU_ID"
  case setTSSAddr = "KVM_SET_TSS_ADDR"
  case setIdentityMapAddr = "KVM_SET_IDENTITY_MAP_ADDR"
  case getClock = "KVM_GET_CLOCK"
  case setClock = "KVM_SET_CLOCK"
  case setMSRFilter = "KVM_X86_SET_MSR_FILTER"
  case getStatsFD = "KVM_GET_STATS_FD"

  // Interrupt controllers.
  case createIRQChip = "KVM_CREATE_IRQCHIP"
  case getIRQChip = "KVM_GET_IRQCHIP"
  case setIRQChip = "KVM_SET_IRQCHIP"
  case createPIT2 = "KVM_CREATE_PIT2"
  case getPIT2 = "KVM_GET_PIT2"
  case setPIT2 = "KVM_SET_PIT2"
  case reinjectControl = "KVM_REINJECT_CONTROL"
  case setGSIRouting = "KVM_SET_GSI_ROUTING"
  case irqLine = "KVM_IRQ_LINE"
  case irqLineStatus = "KVM_IRQ_LINE_STATUS"
  case signalMSI = "KVM_SIGNAL_MSI"
  case irqFD = "KVM_IRQFD"
  case ioEventFD = "KVM_IOEVENTFD"

  // On a vCPU.
  case run = "KVM_RUN"
  case getMPState = "KVM_GET_MP_STATE"
  case setMPState = "KVM_SET_MP_STATE"
  case interrupt = "KVM_INTERRUPT"
  case nmi = "KVM_NMI"
  case smi = "KVM_SMI"
  case getLAPIC = "KVM_GET_LAPIC"
  case setLAPIC = "KVM_SET_LAPIC"
  case setVAPICAddr = "KVM_SET_VAPIC_ADDR"
  case tprAccessReporting = "KVM_TPR_ACCESS_REPORTING"
  case setGuestDebug = "KVM_SET_GUEST_DEBUG"
  case setSignalMask = "KVM_SET_SIGNAL_MASK"
  case kvmclockCtrl = "KVM_KVMCLOCK_CTRL"
  case translate = "KVM_TRANSLATE"
  case getTSCKHz = "KVM_GET_TSC_KHZ"
  case setTSCKHz = "KVM_SET_TSC_KHZ"
  case getDeviceAttr = "KVM_GET_DEVICE_ATTR"
  case setDeviceAttr = "KVM_SET_DEVICE_ATTR"

  // State of a vCPU.
  case getRegs = "KVM_GET_REGS"
  case setRegs = "KVM_SET_REGS"
  case getSregs = "KVM_GET_SREGS"
  case setSregs = "KVM_SET_SREGS"
  case getSregs2 = "KVM_GET_SREGS2"
  case setSregs2 = "KVM_SET_SREGS2"
  case getFPU = "KVM_GET_FPU"
  case setFPU = "KVM_SET_FPU"
  case getMSRs = "KVM_GET_MSRS"
  case setMSRs = "KVM_SET_MSRS"
  case getCPUID2 = "KVM_GET_CPUID2"
  case setCPUID2 = "KVM_SET_CPUID2"
  case setupMCE = "KVM_X86_SETUP_MCE"
  case getXSAVE = "KVM_GET_XSAVE"
  case getXSAVE2 = "KVM_GET_XSAVE2"
  case setXSAVE = "KVM_SET_XSAVE"
  case getXCRs = "KVM_GET_XCRS"
  case setXCRs = "KVM_SET_XCRS"
  case getDebugRegs = "KVM_GET_DEBUGREGS"
  case setDebugRegs = "KVM_SET_DEBUGREGS"
  case getVCPUEvents = "KVM_GET_VCPU_EVENTS"
  case setVCPUEvents = "KVM_SET_VCPU_EVENTS"
  case getNestedState = "KVM_GET_NESTED_STATE"
  case setNestedState = "KVM_SET_NESTED_STATE"
}

extension KVMCall: CustomStringConvertible {
  /// The name that the KVM API or the manual page has for it.
  public var description: String { rawValue }
}

extension Errno {
  /// The constant's name in errno(3), for those that KVM and its neighbours answer with.
  var symbol: String {
    switch self {
    case .notPermitted: "EPERM"
    case .noSuchFileOrDirectory: "ENOENT"
    case .interrupted: "EINTR"
    case .ioError: "EIO"
    case .noSuchAddressOrDevice: "ENXIO"
    case .argListTooLong: "E2BIG"
    case .badFileDescriptor: "EBADF"
    case .resourceTemporarilyUnavailable: "EAGAIN"
    case .noMemory: "ENOMEM"
    case .permissionDenied: "EACCES"
    case .badAddress: "EFAULT"
    case .resourceBusy: "EBUSY"
    case .fileExists: "EEXIST"
    case .operationNotSupportedByDevice: "ENODEV"
    case .isDirectory: "EISDIR"
    case .invalidArgument: "EINVAL"
    case .tooManyOpenFilesInSystem: "ENFILE"
    case .tooManyOpenFiles: "EMFILE"
    case .inappropriateIOCTLForDevice: "ENOTTY"
    case .noSpace: "ENOSPC"
    case .illegalSeek: "ESPIPE"
    case .noFunction: "ENOSYS"
    case .notSupportedOnSocket: "EOPNOTSUPP"
    case .badMessage: "EBADMSG"
    default: "errno \(rawValue)"
    }
  }
}
