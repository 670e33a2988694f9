import CKVM
import Synchronization
public import SystemPackage

/// The KVM API version that this library speaks, the only one there is (KVM API, KVM_GET_API_VERSION).
public let apiVersion = Int(KVM_API_VERSION)

/// The host's KVM: /dev/kvm, opened.
///
/// It says what KVM can do and creates virtual machines.
///
/// `KVM.open()` gives one. The kernel serialises its calls, so it can be used from any thread.
public final class System: Sendable {
  let descriptor: OwnedDescriptor

  /// How many bytes of a vCPU's descriptor are shared with the kernel (KVM_GET_VCPU_MMAP_SIZE).
  let runPageSize: Int

  /// The machine of `keepActive()`.
  let keeper = Mutex<Keeper?>(nil)

  init(_ descriptor: consuming OwnedDescriptor) throws(KVMError) {
    self.descriptor = descriptor
    let version = try attempt(.getAPIVersion, ckvm_get_api_version(self.descriptor.rawValue))
    guard version == KVM_API_VERSION else {
      throw KVMError(
        call: .getAPIVersion, errno: .invalidArgument, detail: "version \(version), not \(KVM_API_VERSION)")
    }
    let size = Int(try attempt(.getVCPUMmapSize, ckvm_get_vcpu_mmap_size(self.descriptor.rawValue)))
    guard size >= MemoryLayout<kvm_run>.size else {
      throw KVMError(call: .getVCPUMmapSize, errno: .invalidArgument, detail: "\(size) bytes")
    }
    runPageSize = size
  }

  /// What KVM answers about a capability: 0 when it lacks it, else 1 or a number or bits that the capability defines
  /// (KVM API, KVM_CHECK_EXTENSION).
  ///
  /// - Throws: `KVMError`; in practice never.
  public func check(_ capability: Capability) throws(KVMError) -> Int {
    Int(
      try attempt(
        .checkExtension, ckvm_check_extension(descriptor.rawValue, capability.rawValue), detail: capability.name))
  }

  /// Creates a virtual machine without memory, interrupt controllers or vCPUs (KVM_CREATE_VM).
  ///
  /// - Parameter type: what protects it; `.default` for nothing beyond virtualization.
  /// - Throws: `KVMError`: EINVAL for a type that this host lacks, EMFILE, ENOMEM.
  public func createVM(type: VMType = .default) throws(KVMError) -> VirtualMachine {
    VirtualMachine(try newVM(type), of: self)
  }

  func newVM(_ type: VMType) throws(KVMError) -> OwnedDescriptor {
    try OwnedDescriptor(.createVM, ckvm_create_vm(descriptor.rawValue, UInt(type.rawValue)), detail: type.name)
  }
}

/// Opens KVM: where everything starts.
///
/// - Parameter path: the device.
/// - Returns: the host's KVM, which creates virtual machines.
/// - Throws: `KVMError`: ENOENT when the host has no KVM, EACCES when this user may not use it, ENOTTY when the file is no
///   KVM device, EINVAL for a KVM of another API version.
public func open(_ path: FilePath = "/dev/kvm") throws(KVMError) -> System {
  // Sound: the path is NUL-terminated and outlives the call.
  let answer = unsafe path.withPlatformString { unsafe ckvm_open($0, O_RDWR) }
  return try System(OwnedDescriptor(.open, answer, detail: path.string))
}

/// What kind of virtual machine to create (KVM API, KVM_CREATE_VM and KVM_CAP_VM_TYPES).
public struct VMType: RawRepresentable, Hashable, Sendable {
  /// KVM's number, which is also the bit in KVM_CAP_VM_TYPES.
  public var rawValue: UInt32

  /// The type with that number.
  public init(rawValue: UInt32) {
    self.rawValue = rawValue
  }

  /// A machine whose memory the host can read (KVM_X86_DEFAULT_VM).
  public static let `default` = VMType(rawValue: UInt32(KVM_X86_DEFAULT_VM))

  /// A machine to develop private memory with (KVM_X86_SW_PROTECTED_VM).
  public static let softwareProtected = VMType(rawValue: UInt32(KVM_X86_SW_PROTECTED_VM))

  /// AMD Secure Encrypted Virtualization (KVM_X86_SEV_VM).
  public static let sev = VMType(rawValue: UInt32(KVM_X86_SEV_VM))

  /// The same with encrypted register state (KVM_X86_SEV_ES_VM).
  public static let sevES = VMType(rawValue: UInt32(KVM_X86_SEV_ES_VM))

  /// The same with nested-page protection (KVM_X86_SNP_VM).
  public static let snp = VMType(rawValue: UInt32(KVM_X86_SNP_VM))

  /// An Intel trust domain (KVM_X86_TDX_VM).
  public static let tdx = VMType(rawValue: UInt32(KVM_X86_TDX_VM))

  /// The constant's name in `asm/kvm.h`.
  public var name: String {
    switch self {
    case .default: "KVM_X86_DEFAULT_VM"
    case .softwareProtected: "KVM_X86_SW_PROTECTED_VM"
    case .sev: "KVM_X86_SEV_VM"
    case .sevES: "KVM_X86_SEV_ES_VM"
    case .snp: "KVM_X86_SNP_VM"
    case .tdx: "KVM_X86_TDX_VM"
    default: "VM type \(rawValue)"
    }
  }
}

extension System {
  /// The types of machine that this host can create (KVM_CAP_VM_TYPES); only the default one on kernels before 6.7.
  ///
  /// - Throws: `KVMError`; in practice never.
  public func vmTypes() throws(KVMError) -> [VMType] {
    let bits = try check(.vmTypes)
    guard bits != 0 else { return [.default] }
    return (0..<32).filter { bits >> $0 & 1 == 1 }.map { VMType(rawValue: $0) }
  }
}
