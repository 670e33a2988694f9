import CKVM
import SystemPackage

extension System {
  /// The CPUID leaves that KVM and the host can offer a guest (KVM_GET_SUPPORTED_CPUID).
  ///
  /// - Throws: `KVMError`; in practice only ENOMEM.
  public func supportedCPUID() throws(KVMError) -> [CPUIDEntry] {
    try unsafe KVM.cpuid(.getSupportedCPUID) { unsafe ckvm_get_supported_cpuid(descriptor.rawValue, $0) }
  }

  /// The CPUID leaves that KVM can emulate in software, slowly, beyond the supported ones (KVM_GET_EMULATED_CPUID).
  ///
  /// - Throws: `KVMError`; in practice only ENOMEM.
  public func emulatedCPUID() throws(KVMError) -> [CPUIDEntry] {
    try unsafe KVM.cpuid(.getEmulatedCPUID) { unsafe ckvm_get_emulated_cpuid(descriptor.rawValue, $0) }
  }
}

/// Reads CPUID leaves with a call that answers E2BIG until there is room for all of them.
func cpuid(
  _ call: KVMCall, _ get: (UnsafeMutablePointer<kvm_cpuid2>) -> Int32
) throws(KVMError) -> [CPUIDEntry] {
  // KVM itself takes at most KVM_MAX_CPUID_ENTRIES, 256, so the last round always has room.
  for room in [128, 256] {
    var header = kvm_cpuid2()
    header.nent = UInt32(room)
    // KVM_GET_CPUID2 of older kernels, as Linux 6.1, fills entries in and does not say how many: those that are still as
    // they were here, with what no leaf has, are not KVM's (arch/x86/kvm/cpuid.c, `kvm_vcpu_ioctl_get_cpuid2`).
    var blank = kvm_cpuid_entry2()
    blank.flags = .max
    let buffer = FlexibleArray(header, repeating: blank, count: room)
    // Sound: the header says how many entries there is room for, and KVM writes no more.
    let answer = unsafe buffer.withHeader(get)
    if Errno(rawValue: -answer) == .argListTooLong, room < 256 { continue }
    try attempt(call, answer)
    return buffer.prefix(Int(buffer.header.nent)).prefix { $0.flags != .max }.map(CPUIDEntry.init)
  }
  return []
}
