import CKVM
import SystemPackage

extension VCPU {
  /// Reads MSRs (KVM_GET_MSRS).
  ///
  /// - Parameter indices: at most 256.
  /// - Returns: the values up to the first that KVM refuses, and which that is.
  /// - Throws: `KVMError` with E2BIG for too many.
  public func msrs(_ indices: [UInt32]) throws(KVMError) -> MSRAnswer {
    try readMSRs(descriptor, indices)
  }

  /// Writes MSRs (KVM_SET_MSRS).
  ///
  /// A TSC deadline needs the local APIC's timer mode first, so `setLocalAPIC` comes before.
  ///
  /// - Parameter entries: at most 256, written in order.
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
    let capability = UInt64(banks) | controlPresent | softwareRecovery
    try attempt(.setupMCE, ckvm_setup_mce(descriptor.rawValue, capability), detail: "\(banks) banks")
  }
}
