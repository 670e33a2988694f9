public import APIC

/// Where the processor does a part of the local APICs.
extension ReferenceMachine {
  /// Who is reached by which destination has changed: an ID that is not its vCPU's keeps APICv off as long as it is there
  /// (`kvm_recalculate_apic_map`). vCPUs learn of it at their next entry.
  mutating func noticeIdentifiers() {
    guard configuration.deviations.contains(.virtualizationInhibitedByIdentifier),
      !configuration.deviations.contains(.inhibitionKept)
    else { return }
    isVirtualizationInhibited = localAPICs.contains { $0.hasForeignIdentifier }
  }

  /// The ID register of a vCPU's local APIC was written, alone or with the others: older kernels look at it then, and at no
  /// change of mode (`kvm_lapic_xapic_id_updated`).
  mutating func noticeIdentifier(_ vcpu: Int) {
    guard configuration.deviations.contains(.inhibitionKept), localAPICs[vcpu].hasForeignIdentifier else { return }
    isVirtualizationInhibited = true
  }

  /// A vCPU enters with what is known of its TPR: KVM sets the threshold anew where it looks for interrupts, unless software
  /// has disabled the local APIC.
  ///
  /// - Parameters:
  ///   - vcpu: its index.
  ///   - hasEvent: whether KVM looks for interrupts at this entry.
  public mutating func setThreshold(_ vcpu: Int, hasEvent: Bool) {
    guard hasEvent, localAPICs[vcpu].isPresent, localAPICs[vcpu].isSoftwareEnabled else { return }
    localAPICs[vcpu].updateThreshold()
  }

  /// A vCPU enters, and the handler of what it took last returns, which lets NMIs in again (SDM volume 3A, section 7.7.1). Where
  /// an NMI interrupts the handler it does not return yet.
  ///
  /// - Parameter vcpu: its index.
  /// - Returns: Whether it did; false where the processor refuses the entry.
  public mutating func returnFromHandler(_ vcpu: Int) -> Bool {
    let processor = localAPICs[vcpu].processor
    guard processor.isInHandler, processor.queued == nil, processor.pendingNMIs == 0 || processor.isNMIMasked else {
      return true
    }
    if lookInHandler(vcpu) {
      watchTaskPriority(vcpu)
      setThreshold(vcpu, hasEvent: true)
    }
    guard !isEntryRefused(vcpu) else { return false }
    localAPICs[vcpu].processor.isInHandler = false
    localAPICs[vcpu].processor.isNMIMasked = false
    // It leaves the guest for what waits.
    if localAPICs[vcpu].processor.hasEvent || processor.pendingNMIs > 0 { leave(vcpu) }
    return true
  }

  /// KVM looks for interrupts where a vCPU is in a handler with interrupts off, and looks again behind it if there is one.
  ///
  /// - Returns: Whether it had a reason to look.
  @discardableResult
  mutating func lookInHandler(_ vcpu: Int) -> Bool {
    localAPICs[vcpu].processor.isInHandler = true
    guard localAPICs[vcpu].processor.hasEvent, !localAPICs[vcpu].processor.hasLooked else { return false }
    derivePriority(vcpu)
    localAPICs[vcpu].processor.hasEvent =
      pic.output && acceptsExternal(vcpu) || localAPICs[vcpu].nextDeliverable != nil
    localAPICs[vcpu].processor.hasLooked = true
    return true
  }

  /// A vCPU enters with what an entry before was to inject; an NMI that waits comes before the first instruction of its
  /// handler (`inject_pending_event`).
  mutating func takeQueued(_ event: QueuedEvent, _ vcpu: Int) -> Vector? {
    localAPICs[vcpu].processor.queued = nil
    lookInHandler(vcpu)
    guard localAPICs[vcpu].processor.pendingNMIs > 0, !localAPICs[vcpu].processor.isNMIMasked else {
      return event.vector
    }
    localAPICs[vcpu].processor.interrupted = event.vector
    return takeInterrupt(vcpu)
  }

  /// The processor has refused the entry at which a vCPU was to take an event: KVM keeps it.
  ///
  /// - Parameters:
  ///   - vcpu: its index.
  ///   - vector: what it was to take; nil for nothing.
  ///   - before: the processor before it took it.
  public mutating func keepEvent(_ vcpu: Int, _ vector: Vector?, before: ProcessorState) {
    guard configuration.deviations.contains(.eventKeptByRefusedEntry), let vector else { return }
    guard before.queued == nil, before.interrupted == nil else {
      let hasEvent = localAPICs[vcpu].processor.hasEvent
      localAPICs[vcpu].processor = before
      localAPICs[vcpu].processor.hasEvent = hasEvent
      return
    }
    localAPICs[vcpu].processor.isInHandler = before.isInHandler
    localAPICs[vcpu].processor.queued = QueuedEvent(
      vector: vector, isNMI: localAPICs[vcpu].processor.pendingNMIs < before.pendingNMIs)
  }

  /// Whether a vCPU that enters may leave again at once, for ever: in xAPIC mode a threshold above the TPR is no reason to refuse the
  /// entry but one for an exit (SDM volume 3C, section 28.7.7), and after it the threshold is as it was.
  ///
  /// - Parameter vcpu: its index.
  public mutating func mayStall(_ vcpu: Int) -> Bool {
    let apic = localAPICs[vcpu]
    guard configuration.deviations.contains(.thresholdStaleAtEntry), apic.mode == .xAPIC,
      apic.page.taskPriority.class < apic.virtualization.threshold,
      !apic.virtualization.isActive || isVirtualizationInhibited
    else { return false }
    met.insert(.entryStalls)
    return true
  }

  /// Whether the processor refuses to enter the guest (KVM_EXIT_FAIL_ENTRY, hardware reason 7).
  public mutating func isEntryRefused(_ vcpu: Int) -> Bool {
    guard localAPICs[vcpu].isEntryRefused else { return false }
    met.insert(.entryRefused)
    return true
  }
}
