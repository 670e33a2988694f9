import CKVM
import Synchronization
import SystemPackage

extension System {
  /// The MSRs that a vCPU's state consists of on this host (KVM_GET_MSR_INDEX_LIST).
  ///
  /// - Throws: `KVMError`; in practice never.
  public func msrIndices() throws(KVMError) -> [UInt32] {
    try unsafe indices(.getMSRIndexList) { unsafe ckvm_get_msr_index_list(descriptor.rawValue, $0) }
  }

  /// The MSRs that describe features of host and KVM (KVM_GET_MSR_FEATURE_INDEX_LIST).
  ///
  /// - Throws: `KVMError`; in practice never.
  public func featureMSRIndices() throws(KVMError) -> [UInt32] {
    try unsafe indices(.getMSRFeatureIndexList) { unsafe ckvm_get_msr_feature_index_list(descriptor.rawValue, $0) }
  }

  /// The values of feature MSRs (system KVM_GET_MSRS).
  ///
  /// - Parameter indices: of `featureMSRIndices()`, at most 256.
  /// - Returns: the values up to the first that KVM refuses, and which that is.
  /// - Throws: `KVMError` with E2BIG for too many.
  public func featureMSRs(_ indices: [UInt32]) throws(KVMError) -> MSRAnswer {
    try readMSRs(descriptor, indices)
  }

  private func indices(
    _ call: KVMCall, _ get: (UnsafeMutablePointer<kvm_msr_list>) -> Int32
  ) throws(KVMError) -> [UInt32] {
    // The list grows with the kernel; the first answer says how much room the second needs.
    var room = 0
    for _ in 0..<3 {
      var header = kvm_msr_list()
      header.nmsrs = UInt32(room)
      let buffer = FlexibleArray(header, repeating: UInt32(0), count: room)
      // Sound: the header says how many indices there is room for, and KVM writes no more.
      let answer = unsafe buffer.withHeader(get)
      let count = Int(buffer.header.nmsrs)
      if Errno(rawValue: -answer) == .argListTooLong, count > room {
        room = count
        continue
      }
      try attempt(call, answer)
      return buffer.prefix(count)
    }
    throw KVMError(call: call, errno: .argListTooLong)
  }
}

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

extension System {
  /// The CPUID leaves with which a guest of this KVM can be told that it runs on Hyper-V, from 40000000h on
  /// (KVM_GET_SUPPORTED_HV_CPUID).
  ///
  /// - Throws: `KVMError`: EINVAL or ENOTTY without KVM_CAP_SYS_HYPERV_CPUID.
  public func supportedHyperVCPUID() throws(KVMError) -> [CPUIDEntry] {
    try unsafe KVM.cpuid(.getSupportedHVCPUID) { unsafe ckvm_get_supported_hv_cpuid(descriptor.rawValue, $0) }
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

/// A machine that nothing runs in.
struct Keeper: ~Copyable {
  private let vm: OwnedDescriptor
  /// nil where the kernel emulates no local APICs.
  private let vcpu: OwnedDescriptor?

  /// Takes over a machine without vCPUs, and gives it one.
  init(_ vm: consuming OwnedDescriptor) throws(KVMError) {
    vcpu = try Self.vcpu(of: vm)
    self.vm = vm
  }

  private static func vcpu(of vm: borrowing OwnedDescriptor) throws(KVMError) -> OwnedDescriptor? {
    guard ckvm_enable_cap(vm.rawValue, Capability.splitIRQChip.rawValue, 0, 0, 0, 0) == 0 else { return nil }
    return try OwnedDescriptor(.createVCPU, ckvm_create_vcpu(vm.rawValue, 0))
  }
}

extension System {
  /// Keeps KVM active for as long as this object lives, by a machine that nothing runs in. Who makes one machine after the
  /// other spares the host what it does again and again otherwise:
  ///
  /// - With the first VM the kernel enters VMX operation, or turns SVM on, on every processor, and patches the scheduler's
  ///   call of KVM into the running kernel; with the last one it takes both back (virt/kvm/kvm_main.c, `kvm_create_vm`,
  ///   `hardware_enable_all`, `preempt_notifier_inc`).
  /// - With the first local APIC that is disabled by software, as every one is at first, it patches KVM to look out for
  ///   such, and back after the last (arch/x86/kvm/lapic.c, `apic_sw_disabled`).
  ///
  /// - Throws: `KVMError`, as `createVM(type:)` does.
  public func keepActive() throws(KVMError) {
    try keeper.withLock { keeper throws(KVMError) in keeper = try Keeper(newVM(.default)) }
  }
}
