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

extension ReferenceLocalAPIC {
  /// Writes IA32_APIC_BASE (SDM volume 3A, sections 12.4.4 and 12.12.5; `kvm_apic_set_base`).
  ///
  /// - Parameters:
  ///   - value: The MSR's new value.
  ///   - byHost: Whether the owner of the machine writes it, who may go from any mode to any other.
  ///   - addressBits: How many bits a physical address has, 32 to 52.
  /// - Returns: Whether it was taken; a processor answers what it refuses with a general-protection exception.
  public mutating func setBase(_ value: APICBase, byHost: Bool, addressBits: Int = 52) -> Bool {
    guard value != base else { return true }
    let reserved = ~UInt64(0) << UInt64(addressBits) | 0x2ff | (features.hasX2APIC ? 0 : 1 << 10)
    guard value.rawValue & reserved == 0, value.mode != .invalid else {
      met.insert(.modeRefused)
      return false
    }
    if !byHost {
      guard mode != .x2APIC || value.mode != .xAPIC, mode != .disabled || value.mode != .x2APIC else { return false }
    }
    let old = mode
    setBaseValue(value)
    if old == .disabled, value.isEnabled, !deviations.contains(.stateKeptWhileDisabled) {
      // A local APIC that is enabled again is as after power-up (SDM volume 3A, section 12.4.3).
      reset()
    }
    if old != mode { changeMode(from: old) }
    return true
  }

  private mutating func changeMode(from old: APICMode) {
    met.insert(mode == .x2APIC ? .modeToX2APIC : mode == .xAPIC ? .modeToXAPIC : .modeDisabled)
    switch mode {
    case .x2APIC:
      page[.id] = id
      page[.logicalDestination] = Destination.x2APICLogicalID(of: id)
    case .xAPIC where old == .x2APIC && deviations.contains(.identifierKeptFromX2APIC): break
    case .xAPIC: page[.id] = id << 24
    // With APICv nothing was recorded until now.
    case .disabled where deviations.contains(.priorityStaleWhileDisabled):
      service = ServiceRecord(count: page.inService.count)
    case .disabled, .invalid: break
    }
  }

  /// Reads IA32_TSC_DEADLINE; 0 outside of TSC-deadline mode (SDM volume 3A, section 12.5.4.1).
  public var tscDeadline: UInt64 { isPresent && timer.mode == .tscDeadline ? timer.deadline : 0 }

  /// Writes IA32_TSC_DEADLINE; without effect outside of TSC-deadline mode.
  public mutating func setTSCDeadline(_ value: UInt64) {
    guard isPresent, timer.mode == .tscDeadline else { return met.insert(.deadlineIgnored) }
    met.insert(.deadlineSet)
    timer.hasExpired = false
    timer.deadline = value
  }
}
