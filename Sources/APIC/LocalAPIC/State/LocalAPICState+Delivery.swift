extension LocalAPICState {
  /// The TPR.
  public var taskPriority: Priority {
    get { Priority(rawValue: UInt8(truncatingIfNeeded: self[.taskPriority])) }
    set { self[.taskPriority] = UInt32(newValue.rawValue) }
  }

  /// The PPR as the page has it; the hardware derives it from the TPR and the ISR.
  public var processorPriority: Priority {
    get { Priority(rawValue: UInt8(truncatingIfNeeded: self[.processorPriority])) }
    set { self[.processorPriority] = UInt32(newValue.rawValue) }
  }

  /// The ISR: the interrupts that the processor has taken and not ended.
  public var inService: VectorSet {
    get { vectors(.inService) }
    set { setVectors(.inService, to: newValue) }
  }

  /// The TMR: the vectors whose interrupts are level-triggered.
  public var triggerModes: VectorSet {
    get { vectors(.triggerModes) }
    set { setVectors(.triggerModes, to: newValue) }
  }

  /// The IRR: the interrupts that the local APIC has accepted and the processor has not taken.
  public var interruptRequest: VectorSet {
    get { vectors(.interruptRequest) }
    set { setVectors(.interruptRequest, to: newValue) }
  }

  private func vectors(_ register: LocalAPICRegister) -> VectorSet {
    var vectors = VectorSet()
    for word in 0..<register.wordCount { vectors[word: word] = self[register, word: word] }
    return vectors
  }

  private mutating func setVectors(_ register: LocalAPICRegister, to vectors: VectorSet) {
    for word in 0..<register.wordCount { self[register, word: word] = vectors[word: word] }
  }
}

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

/// Which messages a local APIC takes as its own, the way KVM decides it (`kvm_apic_match_dest` in arch/x86/kvm/lapic.c; SDM
/// volume 3A, sections 12.6.2 and 12.12.10).
extension LocalAPICState {
  /// Whether a message with that destination is for this local APIC.
  ///
  /// - Parameters:
  ///   - destination: Where the message goes.
  ///   - mode: The mode that this local APIC is in; one that is disabled is nobody's destination.
  ///   - id: Its x2APIC ID: the page has it in x2APIC mode alone, and KVM looks at it in xAPIC mode for IDs above 0xff.
  ///   - isInterprocessor: Whether another local APIC sent it, and no device.
  ///   - hasBroadcastQuirk: Whether 0xff from a device reaches local APICs in x2APIC mode too, as it does until
  ///     `KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK` is set (KVM API, section 7.7).
  public func isDestination(
    _ destination: Destination, mode: APICMode, id: UInt32, isInterprocessor: Bool, hasBroadcastQuirk: Bool = true
  ) -> Bool {
    guard mode == .xAPIC || mode == .x2APIC else { return false }
    let isQuirk =
      hasBroadcastQuirk && !isInterprocessor && mode == .x2APIC
      && destination.identifier == Destination.xAPICBroadcast.identifier
    if isQuirk || destination.isBroadcast(in: mode) { return true }
    switch destination {
    case .physical(let identifier):
      return identifier == (mode == .x2APIC || identifier > 0xff ? id : self.id(mode: mode))
    case .logical(let address):
      return isLogicalDestination(address, mode: mode, id: id)
    }
  }

  private func isLogicalDestination(_ address: UInt32, mode: APICMode, id: UInt32) -> Bool {
    if mode == .x2APIC {
      let own = Destination.x2APICLogicalID(of: id)
      return own >> 16 == address >> 16 && own & address & 0xffff != 0
    }
    let own = logicalID(mode: mode)
    return switch destinationFormat {
    case .flat: own & address != 0
    case .cluster: own >> 4 == address >> 4 && own & address & 0xf != 0
    case nil: false
    }
  }
}

/// The word that KVM keeps in guest memory at a vAPIC address, and takes the TPR from (KVM API, KVM_SET_VAPIC_ADDR;
/// `kvm_lapic_sync_to_vapic` in arch/x86/kvm/lapic.c).
public struct VAPICWord: RawRepresentable, Hashable, Sendable {
  /// The word.
  public var rawValue: UInt32

  /// The fields of that word.
  public init(rawValue: UInt32) {
    self.rawValue = rawValue
  }

  /// The word that KVM writes for the state of a local APIC.
  public init(_ state: LocalAPICState) {
    self.init(rawValue: UInt32(state.taskPriority.rawValue))
    rawValue[bits: 12...15] = UInt32(state.inService.highest?.priorityClass ?? 0)
    rawValue[bits: 24...31] = UInt32(state.interruptRequest.highest?.rawValue ?? 0)
  }

  /// Bits 7:0: the TPR, which the guest writes and KVM takes over at each exit.
  public var taskPriority: Priority {
    get { Priority(rawValue: UInt8(truncatingIfNeeded: rawValue)) }
    set { rawValue[bits: 0...7] = UInt32(newValue.rawValue) }
  }

  /// Bits 15:8: the class of the highest vector in the ISR, in bits 7:4 of it; 0 for none.
  public var inServiceClass: UInt8 { UInt8(truncatingIfNeeded: rawValue[bits: 12...15]) }

  /// Bits 31:24: the highest vector in the IRR; 0 for none.
  public var highestRequest: Vector? {
    let number = UInt8(truncatingIfNeeded: rawValue[bits: 24...31])
    return number == 0 ? nil : Vector(rawValue: number)
  }
}

#if !hasFeature(Embedded)
extension VAPICWord: CustomStringConvertible {
  /// The fields, as in `TPR 0x40, in service class 6, requested 0x8b`.
  public var description: String {
    let inService = inServiceClass == 0 ? "nothing in service" : "in service class \(inServiceClass)"
    return "TPR \(taskPriority), \(inService), \(highestRequest.map { "requested \($0)" } ?? "nothing requested")"
  }
}
#endif
