import CKVM

/// What CPUID answers for a leaf (KVM API, KVM_SET_CPUID2; SDM volume 2A, CPUID).
public struct CPUIDEntry: Hashable, Sendable {
  /// The leaf: EAX of the question.
  public var function: UInt32
  /// The subleaf: ECX of the question.
  public var index: UInt32
  /// Whether the answer depends on the subleaf (KVM_CPUID_FLAG_SIGNIFCANT_INDEX).
  public var hasSignificantIndex: Bool
  /// EAX of the answer.
  public var eax: UInt32
  /// EBX of the answer.
  public var ebx: UInt32
  /// ECX of the answer.
  public var ecx: UInt32
  /// EDX of the answer.
  public var edx: UInt32

  /// A leaf.
  public init(
    function: UInt32, index: UInt32 = 0, hasSignificantIndex: Bool = false, eax: UInt32 = 0, ebx: UInt32 = 0,
    ecx: UInt32 = 0, edx: UInt32 = 0
  ) {
    self.function = function
    self.index = index
    self.hasSignificantIndex = hasSignificantIndex
    self.eax = eax
    self.ebx = ebx
    self.ecx = ecx
    self.edx = edx
  }
}

extension CPUIDEntry {
  init(_ raw: kvm_cpuid_entry2) {
    self.init(
      function: raw.function, index: raw.index,
      hasSignificantIndex: raw.flags & UInt32(KVM_CPUID_FLAG_SIGNIFCANT_INDEX) != 0, eax: raw.eax, ebx: raw.ebx,
      ecx: raw.ecx, edx: raw.edx)
  }
}

extension kvm_cpuid_entry2 {
  init(_ entry: CPUIDEntry) {
    self.init(
      function: entry.function, index: entry.index,
      flags: entry.hasSignificantIndex ? UInt32(KVM_CPUID_FLAG_SIGNIFCANT_INDEX) : 0, eax: entry.eax, ebx: entry.ebx,
      ecx: entry.ecx, edx: entry.edx, padding: (0, 0, 0))
  }
}
