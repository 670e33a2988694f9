import CKVM
import SystemPackage

// Sound throughout: each call fills or reads the one structure it is given.
extension VCPU {
  /// Reads the general-purpose registers, RIP and RFLAGS (KVM_GET_REGS).
  ///
  /// - Throws: `KVMError`; in practice never.
  public func registers() throws(KVMError) -> Registers {
    var raw = kvm_regs()
    try attempt(.getRegs, unsafe ckvm_get_regs(descriptor.rawValue, &raw))
    return Registers(raw)
  }

  /// Writes them (KVM_SET_REGS); a pending exception is dropped.
  ///
  /// - Throws: `KVMError`; in practice never.
  public func setRegisters(_ registers: Registers) throws(KVMError) {
    var raw = kvm_regs(registers)
    try attempt(.setRegs, unsafe ckvm_set_regs(descriptor.rawValue, &raw))
  }

  /// Reads segments, tables and control registers, with the interrupt that is injected (KVM_GET_SREGS).
  ///
  /// - Throws: `KVMError`; in practice never.
  public func specialRegisters() throws(KVMError) -> SpecialRegisters {
    var raw = kvm_sregs()
    try attempt(.getSregs, unsafe ckvm_get_sregs(descriptor.rawValue, &raw))
    return SpecialRegisters(raw)
  }

  /// Writes them (KVM_SET_SREGS).
  ///
  /// - Throws: `KVMError` with EINVAL for a state that no processor can be in.
  public func setSpecialRegisters(_ registers: SpecialRegisters) throws(KVMError) {
    var raw = kvm_sregs(registers)
    try attempt(.setSregs, unsafe ckvm_set_sregs(descriptor.rawValue, &raw))
  }

  /// Reads segments, tables and control registers, with the page-directory pointers (KVM_GET_SREGS2, KVM_CAP_SREGS2).
  ///
  /// - Throws: `KVMError`; in practice never.
  public func specialRegisters2() throws(KVMError) -> SpecialRegisters {
    var raw = kvm_sregs2()
    try attempt(.getSregs2, unsafe ckvm_get_sregs2(descriptor.rawValue, &raw))
    return SpecialRegisters(raw)
  }

  /// Writes them (KVM_SET_SREGS2).
  ///
  /// - Throws: `KVMError` with EINVAL for a state that no processor can be in.
  public func setSpecialRegisters2(_ registers: SpecialRegisters) throws(KVMError) {
    var raw = kvm_sregs2(registers)
    try attempt(.setSregs2, unsafe ckvm_set_sregs2(descriptor.rawValue, &raw))
  }

  /// Reads the debug registers (KVM_GET_DEBUGREGS).
  ///
  /// - Throws: `KVMError`; in practice never.
  public func debugRegisters() throws(KVMError) -> DebugRegisters {
    var raw = kvm_debugregs()
    try attempt(.getDebugRegs, unsafe ckvm_get_debugregs(descriptor.rawValue, &raw))
    return DebugRegisters(raw)
  }

  /// Writes them (KVM_SET_DEBUGREGS).
  ///
  /// - Throws: `KVMError` with EINVAL for reserved bits of DR6 or DR7.
  public func setDebugRegisters(_ registers: DebugRegisters) throws(KVMError) {
    var raw = kvm_debugregs(registers)
    try attempt(.setDebugRegs, unsafe ckvm_set_debugregs(descriptor.rawValue, &raw))
  }

  /// Translates a linear address as the guest would now (KVM_TRANSLATE).
  ///
  /// - Returns: the guest-physical address; nil when the guest maps none.
  /// - Throws: `KVMError`; in practice never.
  public func translate(_ linearAddress: UInt64) throws(KVMError) -> UInt64? {
    var raw = kvm_translation()
    raw.linear_address = linearAddress
    try attempt(.translate, unsafe ckvm_translate(descriptor.rawValue, &raw))
    return raw.valid != 0 ? raw.physical_address : nil
  }
}
