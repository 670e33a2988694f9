import APIC

/// How much of a local APIC the processor does by itself, where a kernel has it do so.
public struct APICVirtualization: Hashable, Sendable {
  /// Whether APICv is active for the vCPU.
  public var isActive = false
  /// The TPR threshold, 0 to 15: a guest that lowers its TPR's class below it leaves the guest (SDM volume 3C, section
  /// 31.1.2).
  public var threshold: UInt8 = 0
  /// The vector that the processor takes for the highest in service, 0 for none (SVI; SDM volume 3C, section 25.4.2). Only where
  /// APICv is active it has a meaning, and it stays as it is while APICv is not.
  public var serviceVector: UInt8 = 0
}

extension ReferenceLocalAPIC {
  /// Whether the local APIC is in xAPIC mode with an ID that is not its vCPU's.
  var hasForeignIdentifier: Bool { mode == .xAPIC && page[.id] >> 24 != id & 0xff }

  /// APICv is switched on or off for the vCPU (`__kvm_vcpu_update_apicv`).
  ///
  /// - Parameter isInhibited: Whether something keeps it off for the machine.
  mutating func updateVirtualization(isInhibited: Bool) {
    guard deviations.contains(.virtualizationInhibitedByIdentifier) else { return }
    let isActive = !isInhibited && mode != .disabled
    guard isActive != virtualization.isActive else { return }
    virtualization.isActive = isActive
    guard !isActive else {
      if !deviations.contains(.serviceVectorStale) { updateServiceVector() }
      return
    }
    service = ServiceRecord(count: page.inService.count)
    processor.hasEvent = true
  }

  /// KVM tells the processor what is in service (`vmx_hwapic_isr_update`).
  mutating func updateServiceVector() {
    guard virtualization.isActive else { return }
    virtualization.serviceVector = page.highest(in: .inService)?.rawValue ?? 0
  }

  /// The processor derives the PPR from what it takes to be in service (SDM volume 3C, section 31.1.3).
  mutating func virtualizeProcessorPriority() {
    guard virtualization.isActive else { return updateProcessorPriority() }
    setProcessorPriority(servicePriority)
  }

  /// What the processor takes to be in service: no vector is the same as vector 0.
  var servicePriority: Vector? {
    virtualization.serviceVector == 0 ? nil : Vector(rawValue: virtualization.serviceVector)
  }

  /// The processor ends the service of the vector that it takes to be in service, which is vector 0 where there is none (SDM
  /// volume 3C, section 31.1.4).
  ///
  /// - Returns: The vector, where the IOAPICs are to hear of it, and whether it was level-triggered.
  mutating func virtualizeEndOfInterrupt() -> (vector: Vector, isLevel: Bool)? {
    let vector = Vector(rawValue: virtualization.serviceVector)
    let wasInService = page.has(vector, in: .inService)
    met.insert(wasInService ? .serviceEnded : .nothingInService)
    page.put(false, vector, in: .inService)
    updateServiceVector()
    virtualizeProcessorPriority()
    guard wasInService || deviations.contains(.emptyServiceEnded) else { return nil }
    return heardEnd(of: vector)
  }

  /// The TPR threshold becomes the class of the interrupt that the TPR holds back, or 0 (`update_cr8_intercept`).
  mutating func updateThreshold() {
    guard deviations.contains(.taskPriorityShadowed), !virtualization.isActive else { return }
    let highest = page.highest(in: .interruptRequest).map(\.priorityClass) ?? 0
    virtualization.threshold = page.taskPriority.class < highest ? 0 : highest
  }

  /// Writes to CR8 leave the guest where the TPR holds an interrupt back (`svm_update_cr8_intercept`).
  mutating func updateTaskPriorityWatch() {
    let held = page.highest(in: .interruptRequest).map { $0.priorityClass <= page.taskPriority.class }
    processor.isTaskPriorityWatched = held ?? false
  }

  /// Whether the processor refuses to enter the guest, because the threshold is above the TPR (SDM volume 3C, section
  /// 28.2.1.1, "use TPR shadow"). In xAPIC mode KVM virtualizes APIC accesses, and the check is not made.
  var isEntryRefused: Bool {
    deviations.contains(.thresholdStaleAtEntry) && !virtualization.isActive && mode != .xAPIC
      && page.taskPriority.class < virtualization.threshold
  }

  /// A guest writes its TPR, and the processor keeps it for itself (SDM volume 3C, section 31.1.2). Only below the threshold
  /// KVM hears of it, and then derives the PPR; an interrupt that this lets in has it set the threshold anew, and nothing else
  /// has (`handle_tpr_below_threshold`).
  mutating func writeShadow(_ value: UInt32) {
    met.insert(.taskPriorityKept)
    page[.taskPriority] = value & 0xff
    guard page.taskPriority.class < virtualization.threshold else { return }
    processor.hasEvent = false
    updateProcessorPriority()
    if processor.hasEvent, isPresent, isSoftwareEnabled { updateThreshold() }
  }
}
