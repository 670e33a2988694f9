public import APIC
import CKVM
import Synchronization
import SystemPackage

extension VCPU {
  /// Reads the in-kernel local APIC's register page (KVM_GET_LAPIC).
  ///
  /// - Throws: `KVMError` with EINVAL without an in-kernel local APIC.
  public func localAPIC() throws(KVMError) -> LocalAPICState {
    var words = InlineArray<256, UInt32>(repeating: 0)
    var span = words.mutableSpan
    // Sound: KVM writes KVM_APIC_REG_SIZE bytes, which are these 256 words (ckvm_layout.c).
    let answer = unsafe span.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return -EFAULT }
      return unsafe ckvm_get_lapic(descriptor.rawValue, base)
    }
    try attempt(.getLAPIC, answer)
    return LocalAPICState(registers: words)
  }

  /// Writes it (KVM_SET_LAPIC); the APIC base must be set before (KVM_SET_SREGS), TSC deadlines after (KVM_SET_MSRS).
  ///
  /// - Throws: `KVMError` with EINVAL without an in-kernel local APIC, or for an ID register that is not this vCPU's.
  public func setLocalAPIC(_ state: LocalAPICState) throws(KVMError) {
    let words = state.registers
    // Sound: KVM reads KVM_APIC_REG_SIZE bytes, which are these 256 words.
    let answer = unsafe words.span.withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return -EFAULT }
      return unsafe ckvm_set_lapic(descriptor.rawValue, base)
    }
    try attempt(.setLAPIC, answer)
  }

  /// Tells KVM where the guest's paravirtual TPR is (KVM_SET_VAPIC_ADDR).
  ///
  /// - Parameter address: guest-physical, of 4 bytes in one page; 0 for none.
  /// - Throws: `KVMError` with EINVAL without an in-kernel local APIC.
  public func setVAPICAddress(_ address: UInt64) throws(KVMError) {
    try attempt(.setVAPICAddr, ckvm_set_vapic_addr(descriptor.rawValue, address))
    chosen.withLock { $0.vapicAddress = address }
  }

  /// Makes TPR accesses leave to user space as `Exit.tprAccess` (KVM_TPR_ACCESS_REPORTING).
  ///
  /// - Throws: `KVMError` with ENOTTY on kernels without KVM_CAP_VAPIC.
  public func setTPRReporting(_ enabled: Bool) throws(KVMError) {
    try attempt(.tprAccessReporting, ckvm_tpr_access_reporting(descriptor.rawValue, enabled ? 1 : 0))
    chosen.withLock { $0.reportsTPRAccesses = enabled }
  }

  /// Injects an external interrupt, for a PIC in user space (KVM_INTERRUPT).
  ///
  /// - Throws: `KVMError`: ENXIO when the PIC is in the kernel, EEXIST when one is queued.
  public func interrupt(_ vector: Vector) throws(KVMError) {
    try attempt(.interrupt, ckvm_interrupt(descriptor.rawValue, UInt32(vector.rawValue)))
  }

  /// Sends a non-maskable interrupt (KVM_NMI).
  ///
  /// - Throws: `KVMError`; in practice never.
  public func nmi() throws(KVMError) {
    try attempt(.nmi, ckvm_nmi(descriptor.rawValue))
  }

  /// Sends a system management interrupt (KVM_SMI).
  ///
  /// - Throws: `KVMError` where there is no system management mode (KVM_CAP_X86_SMM).
  public func smi() throws(KVMError) {
    try attempt(.smi, ckvm_smi(descriptor.rawValue))
  }
}
