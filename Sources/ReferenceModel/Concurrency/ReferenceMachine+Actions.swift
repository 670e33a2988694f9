import APIC

/// What calls do, action by action, so that those of several threads can be put into any order.
extension ReferenceMachine {
  /// Does the next action of a call.
  ///
  /// - Parameter call: The call; what it has come to is noted in it.
  /// - Returns: Whether it was done: false where it has to wait until another call lets go of the IOAPIC.
  public mutating func advance(_ call: inout MachineCall) -> Bool {
    guard let action = call.rest.last else { return false }
    if action.needsIOAPIC, isIOAPICHeld, !call.holdsIOAPIC { return false }
    call.rest.removeLast()
    perform(action, &call)
    return true
  }

  /// Does the next actions of a call, up to where it matters what others do meanwhile.
  ///
  /// An action that nobody sees, and that nothing changes that others do, may come right before or behind the next (Lipton 1975,
  /// reduction); so may one of a pin whose lock keeps others away.
  ///
  /// - Parameters:
  ///   - call: The call; what it has come to is noted in it.
  ///   - areRoutesFixed: Whether nobody replaces the routes meanwhile.
  /// - Returns: Whether it was done: false where it has to wait until another call lets go of the IOAPIC.
  public mutating func advancePiece(_ call: inout MachineCall, areRoutesFixed: Bool) -> Bool {
    while let next = call.rest.last, next.isUnseen(areRoutesFixed) { _ = advance(&call) }
    guard let next = call.rest.last else { return true }
    guard advance(&call) else { return false }
    if case .route(.ioapic, _, _) = next, call.holdsIOAPIC, call.nextHand != nil { _ = advance(&call) }
    while let next = call.rest.last, next.isUnseen(areRoutesFixed) { _ = advance(&call) }
    return true
  }

  private mutating func perform(_ action: MachineAction, _ call: inout MachineCall) {
    switch action {
    case .line(let gsi, let level, let tellsStatus):
      for route in routes[gsi].reversed() {
        call.rest.append(.route(route, level: level, tellsStatus: tellsStatus))
      }
    case .route(let route, let level, let tellsStatus): follow(route, level, tellsStatus, &call)
    case .irqfd(let gsi): signal(gsi, &call)
    case .message(let message, let sender):
      call.rest.append(.delivered)
      address(message, sender, &call)
    case .hand(let message, let vcpu): if hand(message, to: vcpu, &call.takers) { call.taken += 1 }
    case .delivered: call.answer = call.answer.adding(call.messageAnswer)
    case .serviced(let pin, let vector, let isClock): finish(pin, vector, isClock, &call)
    case .routes(let table): routes = table
    case .nmi(let vcpu): signalNMI(vcpu)
    case .write(let vcpu, let index, let value, let moment): write(vcpu, index, value, moment, &call)
    case .enter, .look, .enterToWrite, .guestWrite, .leave: performGuest(action, &call)
    case .heardEnd(let vector, let isLevel, let vcpu):
      ioapic.endClock(vector, vcpu: vcpu)
      guard isLevel, !localAPICs[vcpu].page.spurious.suppressesEOIBroadcast else { return }
      for pin in (0..<24).reversed() where ioapic[pin].vector == vector { call.rest.append(.pinEnded(pin, vector)) }
    case .pinEnded(let pin, let vector):
      guard ioapic.endPin(pin, vector) else { return }
      met.insert(.pinSentAgain)
      if ioapic.canSend(pin) { serve(pin, tellsStatus: false, &call) }
    }
  }

  private mutating func follow(_ route: Route, _ level: Bool, _ tellsStatus: Bool, _ call: inout MachineCall) {
    switch route {
    case .pic(let line):
      met.insert(.picLineChanged)
      call.answer = call.answer.adding(pic.setLine(line, source: Self.userSpace, to: level))
      noticePIC()
    case .ioapic(let pin):
      switch drive(pin, Self.userSpace, to: level, tellsStatus: tellsStatus) {
      case .answer(let own):
        if own == .coalesced { met.insert(.edgeMerged) }
        if own == .ignored { met.insert(.pinHeldBack) }
        call.answer = call.answer.adding(own)
      case .send: serve(pin, tellsStatus: tellsStatus, &call)
      }
    case .message(let message):
      guard level, let message = busMessage(message) else { return }
      call.rest.append(.message(message, sender: nil))
    }
  }

  /// An irqfd whose GSI leads to one message that the map of destinations answers is that message; any other line rises and
  /// falls, each time along the routes of then (`kvm_arch_set_irq_inatomic`, `irqfd_inject`).
  private mutating func signal(_ gsi: UInt32, _ call: inout MachineCall) {
    let found = routes[gsi]
    if found.count == 1, case .message(let message)? = found.first, let message = busMessage(message),
      deliverByMap(message, from: nil, hand: { _, _, _ in false }) != nil
    {
      met.insert(.irqfdAtOnce)
      call.rest.append(.message(message, sender: nil))
    } else {
      call.rest.append(.line(gsi, level: false, tellsStatus: false))
      call.rest.append(.line(gsi, level: true, tellsStatus: false))
    }
  }

  /// Whom a message is for.
  private mutating func address(_ message: BusMessage, _ sender: Int?, _ call: inout MachineCall) {
    (call.taken, call.takers, call.numberForNobody) = (0, 0, 0)
    var hands: [MachineAction] = []
    let answer = deliver(message, from: sender) { _, message, vcpu in
      hands.append(.hand(message, to: vcpu))
      return false
    }
    if hands.isEmpty { call.numberForNobody = answer.number }
    if hands.count > 1 { met.insert(.messageInPieces) }
    call.rest += hands.reversed()
  }

  /// A pin's message goes on its way, and the chip is held (`ioapic_service`).
  private mutating func serve(_ pin: Int, tellsStatus: Bool, _ call: inout MachineCall) {
    met.insert(.pinSent)
    ioapic.willSend(pin)
    let message = BusMessage(ioapic[pin])
    let isClock =
      pin == ReferenceIOAPIC.clockPin && tellsStatus && configuration.deviations.contains(.clockEdgesMerged)
    (isIOAPICHeld, call.holdsIOAPIC) = (true, true)
    call.rest.append(.serviced(pin, vector: message.vector, isClock: isClock))
    address(message, nil, &call)
  }

  private mutating func finish(_ pin: Int, _ vector: Vector, _ isClock: Bool, _ call: inout MachineCall) {
    let answer = call.messageAnswer
    if isClock { noteClock(answer, call.takers, vector) }
    ioapic.didSend(pin, answer)
    call.answer = call.answer.adding(answer)
    (isIOAPICHeld, call.holdsIOAPIC) = (false, false)
  }

  mutating func write(
    _ vcpu: Int, _ index: UInt32, _ value: UInt64, _ moment: Moment, _ call: inout MachineCall
  ) {
    guard let offset = Self.offset(index), localAPICs[vcpu].mode == .x2APIC else {
      call.isRefused = true
      return
    }
    switch localAPICs[vcpu].write(value, to: offset, at: moment) {
    case .refused: call.isRefused = true
    case .none: break
    case .destinations: destinationsChanged()
    case .send(let command): call.rest.append(.message(BusMessage(command), sender: vcpu))
    case .endOfInterrupt(let vector, let isLevel):
      call.rest.append(.heardEnd(vector, isLevel: isLevel, vcpu: vcpu))
    }
  }

  /// What each call may ask is worked out before calls are put into different orders.
  public mutating func prepareForCalls() { _ = destinationMap() }
}

extension MachineAction {
  fileprivate var needsIOAPIC: Bool {
    switch self {
    case .route(.ioapic, _, _), .heardEnd, .pinEnded: true
    default: false
    }
  }

  fileprivate func isUnseen(_ areRoutesFixed: Bool) -> Bool {
    switch self {
    case .route(.message, _, _), .message, .delivered, .serviced: true
    case .line, .irqfd: areRoutesFixed
    default: false
    }
  }
}

extension MachineCall {
  /// What became of the message that is under way.
  fileprivate var messageAnswer: DeliveryAnswer { DeliveryAnswer(taken > 0 ? taken : numberForNobody) }
}
