import CKVM
import SystemPackage

extension VCPU {
  /// Reads what is pending or being delivered (KVM_GET_VCPU_EVENTS).
  ///
  /// - Throws: `KVMError`; in practice never.
  public func events() throws(KVMError) -> VCPUEvents {
    var raw = kvm_vcpu_events()
    // Sound: KVM fills the one structure it is given.
    try attempt(.getVCPUEvents, unsafe ckvm_get_vcpu_events(descriptor.rawValue, &raw))
    return VCPUEvents(raw)
  }

  /// Sets it (KVM_SET_VCPU_EVENTS); last of all state.
  ///
  /// - Throws: `KVMError` with EINVAL for events that cannot be, or whose capability is not enabled (a pending exception
  ///   needs `.exceptionPayload`, a triple fault `.tripleFaultEvent`).
  public func setEvents(_ events: VCPUEvents) throws(KVMError) {
    var raw = kvm_vcpu_events(events)
    // Sound: KVM reads the one structure it is given.
    try attempt(.setVCPUEvents, unsafe ckvm_set_vcpu_events(descriptor.rawValue, &raw))
  }

  /// Whether the vCPU runs, halts or waits (KVM_GET_MP_STATE); pending INIT and SIPI are taken first.
  ///
  /// - Throws: `KVMError` with EINVAL for a state that x86 does not have.
  public func mpState() throws(KVMError) -> MPState {
    var raw: UInt32 = 0
    // Sound: the shim writes the one integer it is given.
    try attempt(.getMPState, unsafe ckvm_get_mp_state(descriptor.rawValue, &raw))
    guard let state = MPState(rawValue: raw) else {
      throw KVMError(call: .getMPState, errno: .invalidArgument, detail: "state \(raw)")
    }
    return state
  }

  /// Sets it (KVM_SET_MP_STATE); first of all state.
  ///
  /// - Throws: `KVMError` with EINVAL for a state other than `runnable` without an in-kernel local APIC.
  public func setMPState(_ state: MPState) throws(KVMError) {
    try attempt(.setMPState, ckvm_set_mp_state(descriptor.rawValue, state.rawValue), detail: "\(state)")
  }
}
