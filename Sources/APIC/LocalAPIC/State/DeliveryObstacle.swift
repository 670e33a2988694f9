/// Why a local APIC has no interrupt for its processor (SDM volume 3A, section 12.8.3).
public enum DeliveryObstacle: Hashable, Sendable {
  /// IA32_APIC_BASE has it disabled.
  case disabled
  /// The IRR is empty.
  case nothingRequested
  /// The task priority is as high as the class of the highest vector in the IRR.
  case taskPriority(Priority)
  /// An interrupt in service is as high as the class of the highest vector in the IRR.
  case inService(Vector)
}

extension LocalAPICState {
  /// The vector that the processor takes as soon as it can be interrupted (SDM volume 3A, section 12.8.3): the highest in
  /// the IRR, unless there is a `deliveryObstacle`.
  ///
  /// - Parameter mode: The mode that the local APIC is in.
  public func nextDeliverable(mode: APICMode) -> Vector? {
    deliveryObstacle(mode: mode) == nil ? interruptRequest.highest : nil
  }

  /// What keeps the highest vector in the IRR from the processor; `nil` where nothing does, and the vector is
  /// `interruptRequest.highest`.
  ///
  /// A local APIC that software has disabled accepts no interrupt any more, but those in its IRR are still to be handled by
  /// the processor (SDM volume 3A, section 12.4.7.2). KVM delivers them (`kvm_apic_has_interrupt` in
  /// arch/x86/kvm/lapic.c).
  ///
  /// - Parameter mode: The mode that the local APIC is in.
  public func deliveryObstacle(mode: APICMode) -> DeliveryObstacle? {
    guard mode == .xAPIC || mode == .x2APIC else { return .disabled }
    guard let vector = interruptRequest.highest else { return .nothingRequested }
    // Where both hold it back, the task priority is named: it is the one that software chose.
    guard taskPriority.allows(vector) else { return .taskPriority(taskPriority) }
    guard let highest = inService.highest, vector.priorityClass <= highest.priorityClass else { return nil }
    return .inService(highest)
  }
}
