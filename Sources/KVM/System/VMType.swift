import CKVM

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
