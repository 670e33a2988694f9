/// How a vCPU halts, and what wakes it.
extension ReferenceMachine {
  /// A vCPU has executed HLT: it halts unless something is there that would wake it (SDM volume 2A, HLT; `kvm_emulate_halt`).
  ///
  /// - Parameters:
  ///   - vcpu: Its index.
  ///   - takesInterrupts: Whether its interrupts are enabled.
  /// - Returns: Whether it has halted.
  public mutating func halt(_ vcpu: Int, takesInterrupts: Bool) -> Bool {
    let isWoken = wakes(vcpu, takesInterrupts: takesInterrupts)
    met.insert(isWoken ? .haltPassed : .halted)
    localAPICs[vcpu].processor.isWokenByMessage = false
    if !isWoken { localAPICs[vcpu].processor.activity = .halted }
    return !isWoken
  }

  /// A vCPU that may be halted is run: it goes on where something wakes it (`vcpu_block`).
  ///
  /// - Parameter vcpu: Its index.
  /// - Returns: Whether it executes instructions.
  public mutating func resume(_ vcpu: Int) -> Bool {
    guard localAPICs[vcpu].processor.activity == .halted else {
      return localAPICs[vcpu].processor.activity == .running
    }
    // In a handler interrupts are off.
    guard wakes(vcpu, takesInterrupts: !localAPICs[vcpu].processor.isInHandler) else { return false }
    met.insert(.haltEnded)
    localAPICs[vcpu].processor.activity = .running
    localAPICs[vcpu].processor.isWokenByMessage = false
    return true
  }

  /// Whether there is something that ends a halt: an NMI that is not masked, an interrupt that is let in, or a message that does
  /// nothing else (`kvm_vcpu_has_events`). KVM derives the PPR to find out, itself even where APICv is active.
  private mutating func wakes(_ vcpu: Int, takesInterrupts: Bool) -> Bool {
    let processor = localAPICs[vcpu].processor
    if processor.hasNMIRequest, configuration.deviations.contains(.everyNMIEndsHalt) { return true }
    if processor.isWokenByMessage || processor.pendingNMIs > 0 && !processor.isNMIMasked { return true }
    guard takesInterrupts else { return false }
    if pic.output, acceptsExternal(vcpu) { return true }
    guard localAPICs[vcpu].isPresent else { return false }
    localAPICs[vcpu].updateProcessorPriority()
    return localAPICs[vcpu].nextFound != nil
  }

  /// A vCPU that was let through an entry with interrupts off knows from there whether an interrupt waits.
  public mutating func keepEventIfFound(_ vcpu: Int) {
    localAPICs[vcpu].processor.hasEvent =
      pic.output && acceptsExternal(vcpu) || localAPICs[vcpu].nextDeliverable != nil
  }
}
