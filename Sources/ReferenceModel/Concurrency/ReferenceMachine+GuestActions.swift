import APIC

/// What vCPUs do while others do something too, action by action.
extension ReferenceMachine {
  mutating func performGuest(_ action: MachineAction, _ call: inout MachineCall) {
    switch action {
    case .enter(let vcpu, let looksAnyway):
      enterGuest(vcpu, looksAnyway)
      _ = returnFromHandler(vcpu)
    case .look(let vcpu):
      let processor = localAPICs[vcpu].processor
      var ended: EndedService?
      call.vector = takeInterrupt(vcpu, &ended)
      if processor.hasEvent { watchTaskPriority(vcpu) }
      setThreshold(vcpu, hasEvent: processor.hasEvent)
      if let ended { call.rest.append(.heardEnd(ended.vector, isLevel: ended.isLevel, vcpu: vcpu)) }
    case .enterToWrite(let vcpu, let looksAnyway):
      enterGuest(vcpu, looksAnyway)
      lookForInterrupts(vcpu)
      // It leaves the guest for the access, and once more to say that it is done.
      watchTaskPriority(vcpu)
      leave(vcpu)
      setThreshold(vcpu, hasEvent: true)
      forgetEvent(vcpu)
    case .guestWrite(let vcpu, let index, let value, let moment): guestWrite(vcpu, index, value, moment, &call)
    case .leave(let vcpu, let wakes):
      if wakes, localAPICs[vcpu].processor.hasEvent { watchTaskPriority(vcpu) }
      leave(vcpu)
      // KVM_SET_REGS makes the vCPU look for interrupts when it goes on.
      if wakes { wake(vcpu) }
    default: break
    }
  }

  private mutating func enterGuest(_ vcpu: Int, _ looksAnyway: Bool) {
    if localAPICs[vcpu].processor.hasRestarted { putBack(vcpu) }
    enter(vcpu)
    if looksAnyway { wake(vcpu) }
  }

  private mutating func guestWrite(
    _ vcpu: Int, _ index: UInt32, _ value: UInt64, _ moment: Moment, _ call: inout MachineCall
  ) {
    let isActive = localAPICs[vcpu].virtualization.isActive && localAPICs[vcpu].mode == .x2APIC
    switch index {
    case LocalAPICRegister.endOfInterrupt.msr where isActive:
      guard value == 0 else {
        call.isRefused = true
        return
      }
      guard let ended = localAPICs[vcpu].virtualizeEndOfInterrupt() else { return }
      call.rest.append(.heardEnd(ended.vector, isLevel: ended.isLevel, vcpu: vcpu))
    // These are the vCPU's own, and the processor's.
    case LocalAPICRegister.taskPriority.msr where isActive, LocalAPICRegister.selfIPI.msr where isActive:
      call.isRefused = !guestWriteMSR(vcpu, index, value, at: moment)
    default: write(vcpu, index, value, moment, &call)
    }
  }

  /// Whether what vCPUs do while others do something too is known action by action: they run, and no more comes to them than
  /// interrupts. An NMI or an INIT may come between two actions in ways that have no place in the model; so may a second vCPU
  /// that takes interrupts of the PICs, and a TPR that the processor compares with something each time that the vCPU enters.
  ///
  /// - Parameter running: The vCPUs.
  public func maySplitGuests(_ running: [Int]) -> Bool {
    let deviations = configuration.deviations
    guard !deviations.contains(.taskPriorityFromCR8AtExit),
      !deviations.contains(.taskPriorityShadowed) || localAPICs.allSatisfy({ $0.virtualization.isActive }),
      !isVirtualizationInhibited, running.count(where: acceptsExternal) < 2
    else { return false }
    for vcpu in running {
      let processor = localAPICs[vcpu].processor
      guard processor.activity == .running, !processor.hasINIT, !processor.hasSIPI, processor.pendingNMIs == 0,
        processor.queued == nil, processor.interrupted == nil
      else { return false }
    }
    for pin in 0..<24 where !ioapic[pin].isMasked && !ioapic[pin].deliveryMode.isInterrupt { return false }
    return routes.messages.allSatisfy { $0.deliveryMode.isInterrupt }
  }
}

extension DeliveryMode? {
  /// Whether it brings an interrupt with a vector, or nothing.
  fileprivate var isInterrupt: Bool { self != .nmi && self != .initialize && self != .startUp }
}
