public import APIC
import CKVM
import Synchronization
import SystemPackage

extension VirtualMachine {
  /// Puts PIC, IOAPIC and local APICs in the kernel, with the default routes (KVM_CREATE_IRQCHIP).
  ///
  /// Before the first vCPU.
  ///
  /// - Throws: `KVMError`: EEXIST when there is an irqchip, EINVAL when there is a vCPU.
  public func createIRQChip() throws(KVMError) {
    try attempt(.createIRQChip, ckvm_create_irqchip(descriptor.rawValue))
    chosen.withLock { $0.hasIRQChip = true }
  }

  /// Puts only the local APICs in the kernel (KVM_CAP_SPLIT_IRQCHIP).
  ///
  /// Before the first vCPU. PIC and IOAPIC, if any, are the caller's; EOIs that its IOAPIC must see arrive as
  /// `Exit.ioapicEOI`.
  ///
  /// - Parameter pins: how many GSIs, from 0, are pins of the caller's IOAPIC.
  /// - Throws: `KVMError`: EEXIST when there is an irqchip or a vCPU, EINVAL for too many pins.
  public func createSplitIRQChip(pins: UInt32 = 24) throws(KVMError) {
    try enable(.splitIRQChip, UInt64(pins))
  }

  /// Reads one of the two in-kernel PICs (KVM_GET_IRQCHIP).
  ///
  /// - Throws: `KVMError` with ENXIO when the PICs are not in the kernel.
  public func pic(_ chip: PIC.Chip) throws(KVMError) -> PICState {
    var raw = kvm_pic_state()
    // Sound: the shim fills the one structure it is given.
    let answer = unsafe ckvm_get_pic(descriptor.rawValue, UInt32(chip.rawValue), &raw)
    try attempt(.getIRQChip, answer, detail: "\(chip)")
    return PICState(raw)
  }

  /// Writes one of the two in-kernel PICs (KVM_SET_IRQCHIP).
  ///
  /// - Throws: `KVMError` with ENXIO when the PICs are not in the kernel.
  public func setPIC(_ chip: PIC.Chip, _ state: PICState) throws(KVMError) {
    var raw = kvm_pic_state(state)
    // Sound: the shim copies the one structure it is given.
    let answer = unsafe ckvm_set_pic(descriptor.rawValue, UInt32(chip.rawValue), &raw)
    try attempt(.setIRQChip, answer, detail: "\(chip)")
  }

  /// Reads the in-kernel IOAPIC (KVM_GET_IRQCHIP).
  ///
  /// - Throws: `KVMError` with ENXIO when the IOAPIC is not in the kernel.
  public func ioapic() throws(KVMError) -> IOAPICState {
    var raw = kvm_ioapic_state()
    // Sound: the shim fills the one structure it is given.
    try attempt(.getIRQChip, unsafe ckvm_get_ioapic(descriptor.rawValue, &raw), detail: "ioapic")
    return IOAPICState(raw)
  }

  /// Writes the in-kernel IOAPIC (KVM_SET_IRQCHIP); pins whose level is high interrupt again.
  ///
  /// - Throws: `KVMError` with ENXIO when the IOAPIC is not in the kernel.
  public func setIOAPIC(_ state: IOAPICState) throws(KVMError) {
    var raw = kvm_ioapic_state(state)
    // Sound: the shim copies the one structure it is given.
    try attempt(.setIRQChip, unsafe ckvm_set_ioapic(descriptor.rawValue, &raw), detail: "ioapic")
  }
}
