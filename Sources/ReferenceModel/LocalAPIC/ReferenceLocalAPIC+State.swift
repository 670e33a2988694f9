public import APIC

extension ReferenceLocalAPIC {
  /// The page that KVM_GET_LAPIC gives (`kvm_apic_get_state`). Of the current count, which moves, it has nothing.
  ///
  /// - Parameter usesWideIDs: Whether the ID of x2APIC mode is the whole register (KVM_CAP_X2APIC_API).
  public func state(usesWideIDs: Bool) -> LocalAPICState {
    var state = page
    state[.currentCount] = 0
    if mode == .x2APIC {
      state[.id] = usesWideIDs ? page[.id] : page[.id] << 24
      state[.interruptCommandHigh] = commandHigh
    }
    return state
  }

  /// Takes the page of KVM_SET_LAPIC (`kvm_apic_set_state`).
  ///
  /// - Parameters:
  ///   - state: The page.
  ///   - usesWideIDs: Whether the ID of x2APIC mode is the whole register.
  ///   - moment: When; the timer starts from the page's current count.
  /// - Returns: Whether it was taken: with wide IDs the ID of x2APIC mode must be the vCPU's.
  public mutating func setState(_ state: LocalAPICState, usesWideIDs: Bool, at moment: Moment) -> Bool {
    guard mode != .x2APIC || !usesWideIDs || state[.id] == id else {
      page[.spurious] = state[.spurious]
      return false
    }
    page = state
    if mode == .x2APIC {
      page[.id] = deviations.contains(.identifierSettable) ? state[.id] >> (usesWideIDs ? 0 : 24) : id
      page[.logicalDestination] = Destination.x2APICLogicalID(of: page[.id])
      commandHigh = state[.interruptCommandHigh]
    }
    page[.version] = features.version.rawValue
    updateProcessorPriority()
    service = ServiceRecord(count: page.inService.count)
    updateServiceVector()
    processor.hasEvent = true
    timer.hasExpired = false
    updateTimerMode()
    startTimer(from: page[.currentCount], at: moment)
    page[.currentCount] = 0
    return true
  }
}
