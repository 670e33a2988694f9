import CKVM
import Synchronization
import SystemPackage

extension VirtualMachine {
  /// Puts the interval timer in the kernel (KVM_CREATE_PIT2).
  ///
  /// After the irqchip.
  ///
  /// - Parameter speakerDummy: whether KVM also answers port 0x61 (KVM_PIT_SPEAKER_DUMMY).
  /// - Throws: `KVMError`: ENOENT without a full in-kernel irqchip, EEXIST when there is a timer.
  public func createPIT(speakerDummy: Bool = true) throws(KVMError) {
    let flags = speakerDummy ? UInt32(KVM_PIT_SPEAKER_DUMMY) : 0
    try attempt(.createPIT2, ckvm_create_pit2(descriptor.rawValue, flags))
    chosen.withLock { $0.pit = MachineSettings.PITOptions(speakerDummy: speakerDummy) }
  }

  /// Reads the in-kernel timer (KVM_GET_PIT2).
  ///
  /// - Throws: `KVMError` with ENXIO without one.
  public func pit() throws(KVMError) -> PITState {
    var raw = kvm_pit_state2()
    // Sound: KVM fills the one structure it is given.
    try attempt(.getPIT2, unsafe ckvm_get_pit2(descriptor.rawValue, &raw))
    return PITState(raw)
  }

  /// Writes the in-kernel timer (KVM_SET_PIT2).
  ///
  /// - Throws: `KVMError` with ENXIO without one.
  public func setPIT(_ state: PITState) throws(KVMError) {
    var raw = kvm_pit_state2(state)
    // Sound: KVM reads the one structure it is given.
    try attempt(.setPIT2, unsafe ckvm_set_pit2(descriptor.rawValue, &raw))
  }

  /// Chooses what becomes of ticks that came while the guest had not yet taken the last (KVM_REINJECT_CONTROL).
  ///
  /// - Parameter reinject: deliver them late (KVM's default) or drop them.
  /// - Throws: `KVMError` with ENXIO without an in-kernel timer.
  public func setPITReinjection(_ reinject: Bool) throws(KVMError) {
    try attempt(.reinjectControl, ckvm_reinject_control(descriptor.rawValue, reinject ? 1 : 0))
    chosen.withLock { $0.pit?.reinjects = reinject }
  }
}
