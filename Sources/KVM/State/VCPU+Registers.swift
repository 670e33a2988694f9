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

extension VCPU {
  /// Reads the x87 and SSE registers (KVM_GET_FPU).
  ///
  /// - Throws: `KVMError`; in practice never.
  public func fpu() throws(KVMError) -> FPUState {
    var raw = kvm_fpu()
    // Sound: KVM fills the one structure it is given.
    try attempt(.getFPU, unsafe ckvm_get_fpu(descriptor.rawValue, &raw))
    return FPUState(raw)
  }

  /// Writes them (KVM_SET_FPU).
  ///
  /// - Throws: `KVMError`; in practice never.
  public func setFPU(_ state: FPUState) throws(KVMError) {
    var raw = kvm_fpu(state)
    // Sound: KVM reads the one structure it is given.
    try attempt(.setFPU, unsafe ckvm_set_fpu(descriptor.rawValue, &raw))
  }

  /// Reads all of the extended state, in the XSAVE format without compaction (KVM_GET_XSAVE2, or KVM_GET_XSAVE before
  /// Linux 5.17; SDM volume 1, section 13.4).
  ///
  /// - Returns: at least 4096 bytes.
  /// - Throws: `KVMError`; in practice never.
  public func xsave() throws(KVMError) -> [UInt8] {
    let size = try vm.check(.xsave2)
    var area = [UInt8](repeating: 0, count: max(size, MemoryLayout<kvm_xsave>.size))
    // Sound: KVM writes as many bytes as KVM_CAP_XSAVE2 answered, or a whole struct kvm_xsave.
    if size > 0 {
      try attempt(.getXSAVE2, unsafe ckvm_get_xsave2(descriptor.rawValue, &area))
    } else {
      try attempt(.getXSAVE, unsafe ckvm_get_xsave(descriptor.rawValue, &area))
    }
    return area
  }

  /// Writes all of the extended state (KVM_SET_XSAVE).
  ///
  /// - Parameter area: as long as `xsave()` gives it.
  /// - Throws: `KVMError` with EINVAL for too few bytes or for state that this host lacks.
  public func setXSAVE(_ area: [UInt8]) throws(KVMError) {
    guard area.count >= max(try vm.check(.xsave2), MemoryLayout<kvm_xsave>.size) else {
      throw KVMError(call: .setXSAVE, errno: .invalidArgument, detail: "\(area.count) bytes")
    }
    var area = area
    // Sound: KVM reads as many bytes as were just checked to be there.
    try attempt(.setXSAVE, unsafe ckvm_set_xsave(descriptor.rawValue, &area))
  }

  /// Reads the extended control registers (KVM_GET_XCRS).
  ///
  /// - Throws: `KVMError` with EINVAL on hosts without XSAVE.
  public func extendedControlRegisters() throws(KVMError) -> [ExtendedControlRegister] {
    var raw = kvm_xcrs()
    // Sound: KVM fills the one structure it is given, and the shim stays inside it.
    try attempt(.getXCRs, unsafe ckvm_get_xcrs(descriptor.rawValue, &raw))
    return (0..<min(raw.nr_xcrs, UInt32(KVM_MAX_XCRS))).map {
      let entry = unsafe ckvm_xcrs_entry(&raw, $0)
      return ExtendedControlRegister(number: entry.xcr, value: entry.value)
    }
  }

  /// Writes them (KVM_SET_XCRS).
  ///
  /// - Parameter registers: at most 16.
  /// - Throws: `KVMError`: E2BIG for too many, EINVAL for a value that the vCPU's CPUID does not allow.
  public func setExtendedControlRegisters(_ registers: [ExtendedControlRegister]) throws(KVMError) {
    guard registers.count <= Int(KVM_MAX_XCRS) else { throw KVMError(call: .setXCRs, errno: .argListTooLong) }
    var raw = kvm_xcrs()
    raw.nr_xcrs = UInt32(registers.count)
    // Sound: the shim stays inside the structure, and KVM reads that one.
    for (index, register) in registers.enumerated() {
      unsafe ckvm_xcrs_set_entry(&raw, UInt32(index), register.number, register.value)
    }
    try attempt(.setXCRs, unsafe ckvm_set_xcrs(descriptor.rawValue, &raw))
  }

  /// Reads the state of a nested hypervisor (KVM_GET_NESTED_STATE), as `struct kvm_nested_state` with its data.
  ///
  /// - Throws: `KVMError` with EINVAL where there is no nested virtualization.
  public func nestedState() throws(KVMError) -> [UInt8] {
    let size = max(try vm.check(.nestedState), MemoryLayout<kvm_nested_state>.size)
    var header = kvm_nested_state()
    header.size = UInt32(clamping: size)
    let buffer = FlexibleArray(header, repeating: UInt8(0), count: size - MemoryLayout<kvm_nested_state>.size)
    // Sound: the header says how many bytes there are in all, and KVM writes no more.
    try attempt(.getNestedState, unsafe buffer.withHeader { unsafe ckvm_get_nested_state(descriptor.rawValue, $0) })
    let used = min(Int(buffer.header.size), size)
    return unsafe buffer.withHeader { unsafe [UInt8](UnsafeRawBufferPointer(start: $0, count: used)) }
  }

  /// Writes it (KVM_SET_NESTED_STATE).
  ///
  /// - Parameter state: what `nestedState()` gave.
  /// - Throws: `KVMError` with EINVAL for a state that is cut short or not of this kind of host.
  public func setNestedState(_ state: [UInt8]) throws(KVMError) {
    let headerSize = MemoryLayout<kvm_nested_state>.size
    guard state.count >= headerSize else {
      throw KVMError(call: .setNestedState, errno: .invalidArgument, detail: "\(state.count) bytes")
    }
    // Sound: the array has at least a header, which is plain bytes.
    var header = unsafe state.withUnsafeBytes { unsafe $0.loadUnaligned(as: kvm_nested_state.self) }
    header.size = min(header.size, UInt32(clamping: state.count))
    let buffer = FlexibleArray(header, Array(state[headerSize...]), empty: 0)
    try attempt(.setNestedState, unsafe buffer.withHeader { unsafe ckvm_set_nested_state(descriptor.rawValue, $0) })
  }
}
