public import APIC

/// What a vCPU does inside of the guest.
extension ReferenceMachine {
  /// A vCPU is put back to where its host wants it, by KVM_SET_SREGS: the TPR comes from CR8, which has its class alone
  /// (`kvm_set_cr8`).
  public mutating func putBack(_ vcpu: Int) {
    localAPICs[vcpu].processor.hasRestarted = false
    localAPICs[vcpu].processor.isInHandler = false
    localAPICs[vcpu].processor.interrupted = nil
    localAPICs[vcpu].processor.hasEvent = true
    localAPICs[vcpu].page.taskPriority.subclass = 0
    localAPICs[vcpu].updateProcessorPriority()
    localAPICs[vcpu].updateThreshold()
    localAPICs[vcpu].updateTaskPriorityWatch()
  }

  /// A vCPU enters the guest: it takes INIT and SIPI, learns which EOIs the IOAPIC is to hear of (`vcpu_scan_ioapic`), and
  /// a timer that has expired interrupts (`kvm_inject_apic_timer_irqs`).
  public mutating func enter(_ vcpu: Int) {
    _ = acceptEvents(vcpu)
    localAPICs[vcpu].processor.hasNMIRequest = false
    localAPICs[vcpu].updateVirtualization(isInhibited: isVirtualizationInhibited)
    if localAPICs[vcpu].virtualization.isActive { localAPICs[vcpu].virtualizeProcessorPriority() }
    if localAPICs[vcpu].processor.hasScanRequest {
      localAPICs[vcpu].processor.hasScanRequest = false
      if localAPICs[vcpu].isPresent { scan(vcpu) }
    }
    if localAPICs[vcpu].timer.hasExpired {
      localAPICs[vcpu].timer.hasExpired = false
      let entry = localAPICs[vcpu].page.lvt(.timer)
      if !entry.isMasked { _ = localAPICs[vcpu].accept(.fixed, entry.vector, isLevel: false, isAsserted: true) }
    }
  }

  /// The vectors of the pins that lead to a vCPU, or that it has in hand (`kvm_ioapic_scan_entry`).
  private mutating func scan(_ vcpu: Int) {
    met.insert(.endsScanned)
    var vectors = VectorSet()
    var stale: UInt8?
    if ioapic.clockHolders >> UInt64(vcpu) & 1 != 0 { vectors.insert(Vector(rawValue: ioapic.clockVectors[vcpu])) }
    for pin in 0..<24 {
      let entry = ioapic[pin]
      guard entry.triggerMode == .level || pin == ReferenceIOAPIC.clockPin else { continue }
      if isAddressed(vcpu, by: entry) {
        vectors.insert(entry.vector)
      } else if hasInHand(vcpu, entry.vector) {
        vectors.insert(entry.vector)
        stale = max(stale ?? 0, entry.vector.rawValue)
      }
    }
    localAPICs[vcpu].broadcastVectors = vectors
    localAPICs[vcpu].processor.staleVector = stale
  }

  /// What a vCPU whose interrupts are enabled takes next, once the handler of what it took last has returned: an NMI, then
  /// from the PICs where its LINT0 is an ExtINT
  /// (`kvm_cpu_get_interrupt`), else from its local APIC.
  public mutating func takeInterrupt(_ vcpu: Int) -> Vector? {
    var ended: EndedService?
    let vector = takeInterrupt(vcpu, &ended)
    if let ended { endOfInterrupt(ended.vector, isLevel: ended.isLevel, vcpu) }
    return vector
  }

  /// A service that has ended, of which the IOAPIC is still to hear.
  typealias EndedService = (vector: Vector, isLevel: Bool)

  /// The same, and says which service has ended by it.
  mutating func takeInterrupt(_ vcpu: Int, _ ended: inout EndedService?) -> Vector? {
    guard localAPICs[vcpu].processor.activity == .running else { return nil }
    if let event = localAPICs[vcpu].processor.queued { return takeQueued(event, vcpu) }
    if localAPICs[vcpu].processor.pendingNMIs > 0, !localAPICs[vcpu].processor.isNMIMasked {
      met.insert(.nmiTaken)
      localAPICs[vcpu].processor.pendingNMIs -= 1
      localAPICs[vcpu].processor.isNMIMasked = true
      localAPICs[vcpu].processor.isInHandler = true
      // Interrupts are looked for nevertheless, and the PPR is derived.
      derivePriority(vcpu)
      return 2
    }
    if let vector = localAPICs[vcpu].processor.interrupted {
      localAPICs[vcpu].processor.interrupted = nil
      lookInHandler(vcpu)
      return vector
    }
    guard localAPICs[vcpu].processor.hasEvent || !configuration.deviations.contains(.interruptsSoughtOnEvent) else {
      return nil
    }
    let isExternal = pic.output && acceptsExternal(vcpu)
    derivePriority(vcpu)
    if isExternal {
      met.insert(.externalTaken)
      // Acknowledged, the output falls; where more waits it rises anew (`kvm_pic_read_irq`).
      lastPICOutput = false
    }
    guard let vector = isExternal ? pic.acknowledge() : localAPICs[vcpu].acknowledge() else {
      localAPICs[vcpu].processor.hasEvent = false
      return nil
    }
    localAPICs[vcpu].processor.isInHandler = true
    noticePIC()
    localAPICs[vcpu].processor.hasLooked = true
    // Behind an interrupt of the PICs KVM looks once more, whether to open a window for another.
    if isExternal, !configuration.deviations.contains(.serviceEndsAtDelivery) { derivePriority(vcpu) }
    // A back end that cannot see the guest's EOIs sends one at delivery, whoever the interrupt came from.
    if configuration.deviations.contains(.serviceEndsAtDelivery) { ended = localAPICs[vcpu].endOfInterrupt() }
    return vector
  }

  /// A vCPU with interrupts off looks for interrupts all the same, and derives the PPR.
  public mutating func lookForInterrupts(_ vcpu: Int) {
    met.insert(.interruptsOff)
    derivePriority(vcpu)
  }

  /// KVM asks whether an interrupt waits: where the PICs have none, its answer derives the PPR. With APICv the processor does so
  /// as it enters.
  mutating func derivePriority(_ vcpu: Int) {
    guard !(pic.output && acceptsExternal(vcpu)), localAPICs[vcpu].isPresent else { return }
    localAPICs[vcpu].virtualizeProcessorPriority()
  }

  /// A guest reads an x2APIC register by its MSR.
  ///
  /// - Returns: The values that it may have; nil for a general-protection exception.
  public mutating func guestReadMSR(_ vcpu: Int, _ index: UInt32, at moment: Moment) -> ClosedRange<UInt64>? {
    if index == LocalAPICRegister.processorPriority.msr, localAPICs[vcpu].virtualization.isActive,
      localAPICs[vcpu].mode == .x2APIC
    {
      // What the page has.
      let priority = UInt64(localAPICs[vcpu].page.processorPriority.rawValue)
      return priority...priority
    }
    if let values = readMSR(vcpu, index, at: moment) { return values }
    let deviations = configuration.deviations
    guard localAPICs[vcpu].mode == .x2APIC, deviations.contains(.missingRegistersReadable),
      localAPICs[vcpu].virtualization.isActive,
      index >= MSR.x2APICBase, index <= MSR.x2APICBase + 0x3f
    else { return nil }
    let word = Int(index - MSR.x2APICBase) * 4
    let page = localAPICs[vcpu].page
    let value = UInt64(page.registers[word + 1]) << 32 | UInt64(page.registers[word])
    return value...value
  }

  /// A guest writes an x2APIC register by its MSR.
  ///
  /// - Returns: Whether it was taken; what is refused is a general-protection exception.
  public mutating func guestWriteMSR(_ vcpu: Int, _ index: UInt32, _ value: UInt64, at moment: Moment) -> Bool {
    let isActive = localAPICs[vcpu].virtualization.isActive
    if index == LocalAPICRegister.taskPriority.msr, localAPICs[vcpu].mode == .x2APIC,
      configuration.deviations.contains(.taskPriorityShadowed)
    {
      // The processor minds the reserved bits (SDM volume 3C, section 31.5).
      guard value <= 0xff else { return false }
      guard isActive else {
        localAPICs[vcpu].writeShadow(UInt32(value))
        return true
      }
      localAPICs[vcpu].page[.taskPriority] = UInt32(value)
      localAPICs[vcpu].virtualizeProcessorPriority()
      return true
    }
    if index == LocalAPICRegister.endOfInterrupt.msr, localAPICs[vcpu].mode == .x2APIC, isActive {
      guard value == 0 else { return false }
      if let ended = localAPICs[vcpu].virtualizeEndOfInterrupt() {
        endOfInterrupt(ended.vector, isLevel: ended.isLevel, vcpu)
      }
      return true
    }
    if index == LocalAPICRegister.selfIPI.msr, localAPICs[vcpu].mode == .x2APIC, 0x10...0xff ~= value, isActive,
      configuration.deviations.contains(.selfIPIVirtualized)
    {
      localAPICs[vcpu].page.put(true, Vector(rawValue: UInt8(value)), in: .interruptRequest)
      return true
    }
    return writeMSR(vcpu, index, value, byHost: false, at: moment)
  }

  /// As a vCPU enters the guest KVM sees whether the TPR holds an interrupt back: writes to CR8 leave the guest then, and
  /// nothing is taken from it (`svm_update_cr8_intercept`). Of a local APIC that software has disabled it takes no notice.
  public mutating func watchTaskPriority(_ vcpu: Int) {
    guard localAPICs[vcpu].isPresent, localAPICs[vcpu].isSoftwareEnabled else { return }
    localAPICs[vcpu].updateTaskPriorityWatch()
  }

  /// A vCPU leaves the guest (`sync_cr8_to_lapic`).
  public mutating func leave(_ vcpu: Int) {
    guard configuration.deviations.contains(.taskPriorityFromCR8AtExit),
      !localAPICs[vcpu].processor.isTaskPriorityWatched
    else { return }
    localAPICs[vcpu].page.taskPriority.subclass = 0
    localAPICs[vcpu].updateProcessorPriority()
  }

  /// Something makes a vCPU look for interrupts at its next entry (KVM_REQ_EVENT).
  public mutating func wake(_ vcpu: Int) { localAPICs[vcpu].processor.hasEvent = true }

  /// Whether the PICs' interrupt reaches a vCPU (`kvm_apic_accept_pic_intr`).
  public func acceptsExternal(_ vcpu: Int) -> Bool {
    let apic = localAPICs[vcpu]
    guard apic.isPresent else { return true }
    let entry = apic.page.lvt(.lint0)
    return !entry.isMasked && entry.deliveryMode == .external
  }

  /// A vCPU has looked for interrupts, and does so no more until something happens.
  public mutating func forgetEvent(_ vcpu: Int) { localAPICs[vcpu].processor.hasEvent = false }

  /// Writes a register of the IOAPIC.
  ///
  /// - Parameters:
  ///   - value: What.
  ///   - offset: From the chip's address.
  public mutating func writeIOAPIC(_ value: UInt32, at offset: UInt64) {
    let pin = offset == IOAPIC.windowOffset && 0x10..<0x40 ~= ioapic.selected ? Int(ioapic.selected - 0x10) / 2 : nil
    let old = pin.map { ioapic[$0] }
    let (sending, ended) = ioapic.write(value, at: offset)
    for pin in 0..<24 where sending >> UInt32(pin) & 1 != 0 { _ = service(pin, tellsStatus: false) }
    if let pin, let old { requestScan(of: old, ioapic[pin]) }
    guard let ended else { return }
    let again = ioapic.endOfInterrupt(ended, isLevel: true, isSuppressed: false, vcpu: 0)
    for pin in 0..<24 where again >> UInt32(pin) & 1 != 0 && ioapic.canSend(pin) {
      _ = service(pin, tellsStatus: false)
    }
  }

  /// Writes a port of the PICs.
  public mutating func writePIC(_ value: UInt8, to port: UInt16) {
    if pic.write(value, to: port, isTaken: localAPICs.indices.contains(where: acceptsExternal)) {
      met.insert(.picInitialized)
    }
    noticePIC()
  }

  /// Reads a port of the PICs, which may acknowledge.
  public mutating func readPIC(_ port: UInt16) -> UInt8 {
    defer { noticePIC() }
    if pic.polls(at: port) { met.insert(.picPolled) }
    return pic.read(port)
  }
}
