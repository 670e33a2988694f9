import CKVM
import Synchronization
import SystemPackage

extension VirtualMachine {
  /// Makes writes to an event raise a GSI, without a system call to KVM (KVM_IRQFD).
  ///
  /// The machine keeps both events open until the irqfd is deassigned.
  ///
  /// - Parameters:
  ///   - event: what devices write to. KVM raises and lowers the line at once for each write, or, with `resample`, leaves
  ///     it high.
  ///   - gsi: set its route first.
  ///   - resample: for level-triggered interrupts: KVM lowers the line at EOI and signals this event, whereupon the device
  ///     writes again if it still wants service.
  /// - Throws: `KVMError`: EBUSY when the event is assigned, EINVAL without an in-kernel interrupt controller.
  public func assignIRQFD(_ event: EventDescriptor, gsi: UInt32, resample: EventDescriptor? = nil) throws(KVMError) {
    let flags = resample == nil ? 0 : UInt32(KVM_IRQFD_FLAG_RESAMPLE)
    let answer = ckvm_irqfd(
      descriptor.rawValue, event.rawDescriptor, gsi, flags, resample?.rawDescriptor ?? 0)
    try attempt(.irqFD, answer, detail: "GSI \(gsi)")
    assignedIRQFDs.withLock { $0.append(IRQFD(event: event, resample: resample, gsi: gsi)) }
  }

  /// Ends that; when it returns, no write before it is still to take effect (KVM_IRQFD_FLAG_DEASSIGN).
  ///
  /// - Throws: `KVMError`; an event that was not assigned is no error.
  public func deassignIRQFD(_ event: EventDescriptor, gsi: UInt32) throws(KVMError) {
    let answer = ckvm_irqfd(descriptor.rawValue, event.rawDescriptor, gsi, UInt32(KVM_IRQFD_FLAG_DEASSIGN), 0)
    try attempt(.irqFD, answer, detail: "GSI \(gsi), deassign")
    assignedIRQFDs.withLock { $0.removeAll { $0.event === event && $0.gsi == gsi } }
  }
}
