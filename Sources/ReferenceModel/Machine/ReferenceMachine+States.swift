public import APIC

extension ReferenceMachine {
  /// The page that KVM_GET_LAPIC gives for a vCPU, without the current count.
  public func localAPICState(_ vcpu: Int) -> LocalAPICState {
    localAPICs[vcpu].state(usesWideIDs: configuration.usesWideIDs)
  }

  /// Takes a vCPU's page (KVM_SET_LAPIC).
  public mutating func setLocalAPICState(_ vcpu: Int, _ state: LocalAPICState, at moment: Moment) -> Bool {
    let isTaken = localAPICs[vcpu].setState(state, usesWideIDs: configuration.usesWideIDs, at: moment)
    destinationsChanged()
    if isTaken {
      noticeIdentifier(vcpu)
      trackClock(vcpu)
      localAPICs[vcpu].updateThreshold()
      localAPICs[vcpu].updateTaskPriorityWatch()
    }
    return isTaken
  }

  /// The IOAPIC's request bits as KVM_GET_IRQCHIP gives them: without edges that were sent (`kvm_get_ioapic`).
  public var ioapicRequests: UInt32 { ioapic.requests & ~ioapic.sentEdges }

  /// Takes an IOAPIC's state (KVM_SET_IRQCHIP; `kvm_set_ioapic`).
  ///
  /// - Parameters:
  ///   - id: Its ID.
  ///   - selected: IOREGSEL.
  ///   - requests: The pins that are high or have an edge pending, pin 0 in bit 0.
  ///   - entries: The redirection table; what is missing is zero.
  public mutating func setIOAPIC(id: UInt32, selected: UInt32, requests: UInt32, entries: [RedirectionEntry]) {
    ioapic.id = id
    ioapic.selected = selected
    for pin in 0..<24 { ioapic[pin] = pin < entries.count ? entries[pin] : RedirectionEntry(rawValue: 0) }
    requestScan()
    ioapic.requests = 0
    ioapic.sentEdges = 0
    ioapic.clockPending = 0
    ioapic.clockHolders = 0
    let sendsEdges = configuration.deviations.contains(.pendingEdgesSentOnRestore)
    for pin in 0..<24 where requests >> UInt32(pin) & 1 != 0 {
      guard sendsEdges || ioapic[pin].triggerMode == .level else {
        ioapic.requests |= 1 << UInt32(pin)
        continue
      }
      if case .send = ioapic.setPin(pin, to: true, tellsStatus: true) { _ = service(pin, tellsStatus: true) }
    }
    ioapic.clockPending = 0
    ioapic.clockHolders = 0
    for vcpu in localAPICs.indices { trackClock(vcpu) }
    if configuration.deviations.contains(.cascadeUpdatedOnRestore) { updatePIC() }
  }

  /// Takes a PIC's state (KVM_SET_IRQCHIP).
  public mutating func setPIC(_ chip: PIC.Chip, _ state: ReferencePIC.Chip) {
    if chip == .master { pic.master = state } else { pic.slave = state }
    updatePIC()
  }

  private mutating func updatePIC() {
    pic.update()
    noticePIC()
  }

  /// After a state is set KVM finds out whether a vCPU has an interrupt of pin 8 in hand
  /// (`__rtc_irq_eoi_tracking_restore_one`).
  private mutating func trackClock(_ vcpu: Int) {
    guard configuration.deviations.contains(.clockEdgesMerged) else { return }
    let entry = ioapic[ReferenceIOAPIC.clockPin]
    guard isAddressed(vcpu, by: entry) else { return }
    let isHeld = hasInHand(vcpu, entry.vector)
    let wasHeld = ioapic.clockHolders >> UInt64(vcpu) & 1 != 0
    guard isHeld != wasHeld else { return }
    if isHeld {
      ioapic.clockHolders |= 1 << UInt64(vcpu)
      ioapic.clockVectors[vcpu] = entry.vector.rawValue
      ioapic.clockPending += 1
    } else {
      ioapic.clockHolders &= ~(1 << UInt64(vcpu))
      ioapic.clockPending -= 1
    }
  }

  /// One of those who drive a pin changes it. With APICv KVM is not told of every EOI, and before an edge it looks at one of those
  /// whom the pin's message goes to: the first that has its vector not in hand has ended it (`ioapic_lazy_update_eoi`).
  mutating func drive(_ pin: Int, _ source: UInt8, to level: Bool, tellsStatus: Bool) -> PinEffect {
    let isHigh = level || ioapic.sources[pin] & ~(1 << source) != 0
    let entry = ioapic[pin]
    if isHigh, entry.triggerMode == .edge, configuration.deviations.contains(.clockEndSought),
      !isVirtualizationInhibited,
      let vcpu = localAPICs.indices.first(where: { isAddressed($0, by: entry) && !hasInHand($0, entry.vector) })
    {
      ioapic.endClock(entry.vector, vcpu: vcpu)
    }
    return ioapic.setLine(pin: pin, source: source, to: level, tellsStatus: tellsStatus)
  }

  /// Whether a pin's entry names a vCPU, be its local APIC enabled or not (`kvm_apic_match_dest`).
  func isAddressed(_ vcpu: Int, by entry: RedirectionEntry) -> Bool {
    isUnderstood(entry.destination, by: vcpu) && matchesEvenAbsent(localAPICs[vcpu], entry.destination)
  }

  /// Whether a vCPU has a vector requested or in service (`kvm_apic_pending_eoi`).
  func hasInHand(_ vcpu: Int, _ vector: Vector) -> Bool {
    let page = localAPICs[vcpu].page
    return page.has(vector, in: .inService) || page.has(vector, in: .interruptRequest)
  }

  /// KVM does not ask here whether the local APIC is enabled; one that is not is compared as in xAPIC mode.
  func matchesEvenAbsent(_ apic: ReferenceLocalAPIC, _ destination: Destination) -> Bool {
    apic.page.isDestination(
      destination, mode: apic.mode == .x2APIC ? .x2APIC : .xAPIC, id: identifier(apic, destination),
      isInterprocessor: false,
      hasBroadcastQuirk: configuration.deviations.contains(.messageBroadcastInX2APIC))
  }
}
