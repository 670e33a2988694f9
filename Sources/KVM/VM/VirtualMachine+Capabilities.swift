import CKVM
import Synchronization
import SystemPackage

extension VirtualMachine {
  /// What KVM answers about a capability for this machine (KVM_CHECK_EXTENSION on a VM).
  ///
  /// - Throws: `KVMError`; in practice never.
  public func check(_ capability: Capability) throws(KVMError) -> Int {
    let answer = ckvm_check_extension(descriptor.rawValue, capability.rawValue)
    return Int(try attempt(.checkExtension, answer, detail: capability.name))
  }

  /// Enables a capability for this machine (KVM_ENABLE_CAP).
  ///
  /// - Parameters:
  ///   - capability: one that is not on by itself.
  ///   - arguments: up to four, as the capability defines them.
  /// - Throws: `KVMError`: EINVAL when KVM lacks it, dislikes the arguments, or it is too late; E2BIG for a fifth argument.
  public func enable(_ capability: Capability, _ arguments: UInt64...) throws(KVMError) {
    try enable(MachineSettings.EnabledCapability(capability, arguments))
  }

  /// Enables a capability for this machine, as it was enabled for another.
  ///
  /// - Throws: `KVMError` as `enable(_:_:)` does.
  public func enable(_ enabled: MachineSettings.EnabledCapability) throws(KVMError) {
    let (capability, arguments) = (enabled.capability, enabled.arguments)
    guard arguments.count <= 4 else {
      throw KVMError(call: .enableCap, errno: .argListTooLong, detail: capability.name)
    }
    let all = arguments + [UInt64](repeating: 0, count: 4 - arguments.count)
    let answer = ckvm_enable_cap(descriptor.rawValue, capability.rawValue, all[0], all[1], all[2], all[3])
    try attempt(.enableCap, answer, detail: capability.name)
    chosen.withLock { $0.capabilities.append(MachineSettings.EnabledCapability(capability, all)) }
  }

  /// Chooses how local APICs treat 32-bit IDs and EOI broadcasts (KVM_CAP_X2APIC_API).
  ///
  /// Before the first vCPU.
  ///
  /// - Throws: `KVMError` with EINVAL for flags that the kernel does not know or that contradict each other.
  public func enableX2APICAPI(_ options: X2APICOptions) throws(KVMError) {
    try enable(.x2APICAPI, options.rawValue)
  }

  /// Sets how long a cycle of the APIC bus takes, which the APIC timer counts (KVM_CAP_X86_APIC_BUS_CYCLES_NS).
  ///
  /// Before the first vCPU, after the irqchip.
  ///
  /// - Parameter nanoseconds: above 0; KVM's default is 1, a bus of 1 GHz.
  /// - Throws: `KVMError`: ENXIO without an in-kernel irqchip, EINVAL.
  public func setAPICBusCycle(nanoseconds: UInt64) throws(KVMError) {
    try enable(.apicBusCycles, nanoseconds)
  }

  /// Lets instructions of the guest run without leaving it (KVM_CAP_X86_DISABLE_EXITS).
  ///
  /// Before the first vCPU.
  ///
  /// - Throws: `KVMError` with EINVAL for an exit that this host must take.
  public func disableExits(_ exits: DisabledExits) throws(KVMError) {
    try enable(.disableExits, exits.rawValue)
  }

  /// Hands MSR accesses to user space as `Exit.readMSR` and `Exit.writeMSR` (KVM_CAP_X86_USER_SPACE_MSR).
  ///
  /// - Parameter reasons: which; none to switch that off.
  /// - Throws: `KVMError` with EINVAL for a reason that the kernel does not know.
  public func exitOnMSRAccess(_ reasons: MSRExitReasons) throws(KVMError) {
    try enable(.userSpaceMSR, UInt64(reasons.rawValue))
  }

  /// Chooses the bootstrap processor (KVM_SET_BOOT_CPU_ID).
  ///
  /// Before the first vCPU.
  ///
  /// - Parameter id: of the vCPU that starts by itself; 0 when nothing is chosen.
  /// - Throws: `KVMError` with EBUSY when a vCPU exists.
  public func setBootCPU(id: UInt32) throws(KVMError) {
    try attempt(.setBootCPUID, ckvm_set_boot_cpu_id(descriptor.rawValue, UInt(id)), detail: "vCPU \(id)")
    chosen.withLock { $0.bootCPU = id }
  }

  /// Gives VT-x three pages for real mode on processors without unrestricted guests (KVM_SET_TSS_ADDR).
  ///
  /// - Parameter address: guest-physical, below 4 GiB, outside every slot.
  /// - Throws: `KVMError` with EINVAL for an address too high.
  public func setTSSAddress(_ address: UInt32) throws(KVMError) {
    try attempt(.setTSSAddr, ckvm_set_tss_addr(descriptor.rawValue, UInt(address)))
    chosen.withLock { $0.tssAddress = address }
  }

  /// Gives VT-x a page for an identity map on such processors (KVM_SET_IDENTITY_MAP_ADDR).
  ///
  /// Before the first vCPU.
  ///
  /// - Parameter address: guest-physical, below 4 GiB, outside every slot; 0 for KVM's default.
  /// - Throws: `KVMError` with EINVAL when a vCPU exists.
  public func setIdentityMapAddress(_ address: UInt64) throws(KVMError) {
    try attempt(.setIdentityMapAddr, ckvm_set_identity_map_addr(descriptor.rawValue, address))
    chosen.withLock { $0.identityMapAddress = address }
  }
}
