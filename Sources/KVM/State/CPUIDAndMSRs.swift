import CKVM
import SystemPackage

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

/// A model-specific register (KVM API, KVM_GET_MSRS; SDM volume 4).
public struct MSREntry: Hashable, Sendable {
  /// Which.
  public var index: UInt32
  /// What it holds.
  public var value: UInt64

  /// A register.
  public init(index: UInt32, value: UInt64 = 0) {
    self.index = index
    self.value = value
  }
}

/// How far KVM got with a list of MSRs: it goes in order and stops at the first that it refuses.
public struct MSRAnswer: Hashable, Sendable {
  /// Those that KVM took, in the order given; for a read, with their values.
  public var entries: [MSREntry]

  /// The first that KVM refused; nil when it took all.
  ///
  /// Nothing after it was tried.
  public var refused: UInt32?

  /// An answer.
  public init(entries: [MSREntry], refused: UInt32? = nil) {
    self.entries = entries
    self.refused = refused
  }
}

/// Reads MSRs through a vCPU or /dev/kvm (KVM_GET_MSRS).
func readMSRs(_ descriptor: borrowing OwnedDescriptor, _ indices: [UInt32]) throws(KVMError) -> MSRAnswer {
  let buffer = msrBuffer(indices.map { MSREntry(index: $0) })
  let fd = descriptor.rawValue
  // Sound: the header counts the entries behind it, and KVM writes no more.
  let count = Int(try attempt(.getMSRs, unsafe buffer.withHeader { unsafe ckvm_get_msrs(fd, $0) }))
  return MSRAnswer(
    entries: buffer.prefix(count).map { MSREntry(index: $0.index, value: $0.data) },
    refused: count < indices.count ? indices[count] : nil)
}

/// Writes MSRs of a vCPU (KVM_SET_MSRS).
func writeMSRs(_ descriptor: borrowing OwnedDescriptor, _ entries: [MSREntry]) throws(KVMError) -> MSRAnswer {
  let buffer = msrBuffer(entries)
  let fd = descriptor.rawValue
  // Sound: as above; KVM only reads.
  let count = Int(try attempt(.setMSRs, unsafe buffer.withHeader { unsafe ckvm_set_msrs(fd, $0) }))
  return MSRAnswer(
    entries: Array(entries.prefix(count)), refused: count < entries.count ? entries[count].index : nil)
}

private func msrBuffer(_ entries: [MSREntry]) -> FlexibleArray<kvm_msrs, kvm_msr_entry> {
  var header = kvm_msrs()
  header.nmsrs = UInt32(clamping: entries.count)
  let raw = entries.map { kvm_msr_entry(index: $0.index, reserved: 0, data: $0.value) }
  return FlexibleArray(header, raw, empty: kvm_msr_entry())
}

extension VCPU {
  /// How many MSRs go in one call: fewer than MAX_IO_MSRS, 256 (kernel, arch/x86/kvm/x86.c, `msr_io`).
  public static let msrLimit = 255

  /// Reads MSRs (KVM_GET_MSRS).
  ///
  /// - Parameter indices: at most `msrLimit`.
  /// - Returns: the values up to the first that KVM refuses, and which that is.
  /// - Throws: `KVMError` with E2BIG for too many.
  public func msrs(_ indices: [UInt32]) throws(KVMError) -> MSRAnswer {
    try readMSRs(descriptor, indices)
  }

  /// Writes MSRs (KVM_SET_MSRS).
  ///
  /// A TSC deadline needs the local APIC's timer mode first, so `setLocalAPIC` comes before.
  ///
  /// - Parameter entries: at most `msrLimit`, written in order.
  /// - Returns: those written, up to the first that KVM refuses, and which that is.
  /// - Throws: `KVMError` with E2BIG for too many.
  @discardableResult
  public func setMSRs(_ entries: [MSREntry]) throws(KVMError) -> MSRAnswer {
    try writeMSRs(descriptor, entries)
  }

  /// Reads what CPUID answers the guest (KVM_GET_CPUID2).
  ///
  /// - Throws: `KVMError`; in practice never.
  public func cpuid() throws(KVMError) -> [CPUIDEntry] {
    try unsafe KVM.cpuid(.getCPUID2) { unsafe ckvm_get_cpuid2(descriptor.rawValue, $0) }
  }

  /// Sets what CPUID answers the guest (KVM_SET_CPUID2).
  ///
  /// Before the vCPU first runs.
  ///
  /// - Parameter entries: at most 256, usually `System.supportedCPUID()` with changes.
  /// - Throws: `KVMError`: E2BIG for too many, EINVAL for a change after the vCPU ran.
  public func setCPUID(_ entries: [CPUIDEntry]) throws(KVMError) {
    var header = kvm_cpuid2()
    header.nent = UInt32(clamping: entries.count)
    let buffer = FlexibleArray(header, entries.map(kvm_cpuid_entry2.init), empty: kvm_cpuid_entry2())
    // Sound: the header counts the entries behind it, and KVM reads no more.
    try attempt(.setCPUID2, unsafe buffer.withHeader { unsafe ckvm_set_cpuid2(descriptor.rawValue, $0) })
  }

  /// Chooses the machine-check banks that the guest finds, with the global control register and recoverable errors
  /// (KVM_X86_SETUP_MCE; SDM volume 3B, section 17.3.1.1).
  ///
  /// Before the vCPU first runs, and after its CPUID.
  ///
  /// - Parameter banks: at most 32.
  /// - Throws: `KVMError` with EINVAL for more.
  public func setUpMachineChecks(banks: UInt8) throws(KVMError) {
    let controlPresent: UInt64 = 1 << 8
    let softwareRecovery: UInt64 = 1 << 24
    try setUpMachineChecks(capability: UInt64(banks) | controlPresent | softwareRecovery)
  }

  /// Chooses them as IA32_MCG_CAP says them (KVM_X86_SETUP_MCE), of another vCPU mostly. Their registers are reset.
  ///
  /// Before the vCPU first runs, after its CPUID, and before its local APIC is written, whose CMCI entry depends on it.
  ///
  /// - Parameter capability: the number of banks, 1 to 32, in its bits 7:0.
  /// - Throws: `KVMError` with EINVAL for more, and for what this host's KVM does not have.
  public func setUpMachineChecks(capability: UInt64) throws(KVMError) {
    try attempt(.setupMCE, ckvm_setup_mce(descriptor.rawValue, capability), detail: "\(capability & 0xff) banks")
  }
}
