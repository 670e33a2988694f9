public import APIC

/// What KVM remembers of the ISR, so as not to search it: how many vectors are in it, and the highest where it is known
/// (`isr_count` and `highest_isr_cache`).
struct ServiceRecord: Hashable, Sendable {
  var count = 0
  var highest: Vector?
}

extension ReferenceLocalAPIC {
  /// The highest vector in service, as the local APIC finds it (`apic_find_highest_isr`).
  var highestInService: Vector? {
    let isSearched =
      deviations.contains(.virtualizationInhibitedByIdentifier) ? virtualization.isActive : mode != .disabled
    let isRecorded =
      deviations.contains(.priorityStaleAfterRestore)
      || !isSearched && deviations.contains(.priorityStaleWhileDisabled)
    guard isRecorded else { return page.highest(in: .inService) }
    return service.count == 0 ? nil : service.highest ?? page.highest(in: .inService)
  }

  /// Derives the PPR from the TPR and the ISR (SDM volume 3A, section 12.8.3.1).
  mutating func updateProcessorPriority() { setProcessorPriority(highestInService) }

  mutating func setProcessorPriority(_ highest: Vector?) {
    let old = page.processorPriority
    page.processorPriority = Priority.processorPriority(taskPriority: page.taskPriority, highestInService: highest)
    if page.processorPriority.rawValue != 0 {
      met.insert(
        page.processorPriority.rawValue == page.taskPriority.rawValue ? .priorityFromTask : .priorityFromService)
    }
    // A PPR that falls may let an interrupt in (`apic_update_ppr`).
    if page.processorPriority.rawValue < old.rawValue, let vector = page.highest(in: .interruptRequest),
      page.processorPriority.allows(vector)
    {
      processor.hasEvent = true
    }
  }

  /// The vector that the processor takes next; nil where there is none, or a priority holds it back.
  public var nextDeliverable: Vector? {
    nextDeliverable(highestInService: virtualization.isActive ? servicePriority : highestInService)
  }

  /// The same as KVM finds it, which does not ask the processor what it takes to be in service (`kvm_apic_has_interrupt`).
  var nextFound: Vector? { nextDeliverable(highestInService: highestInService) }

  private func nextDeliverable(highestInService: Vector?) -> Vector? {
    guard isPresent, let vector = page.highest(in: .interruptRequest) else { return nil }
    let priority = Priority.processorPriority(taskPriority: page.taskPriority, highestInService: highestInService)
    return priority.allows(vector) ? vector : nil
  }

  /// The processor takes an interrupt: its vector moves from the IRR to the ISR (SDM volume 3A, section 12.8.4).
  public mutating func acknowledge() -> Vector? {
    guard let vector = nextDeliverable else {
      if page.highest(in: .interruptRequest) != nil { met.insert(.heldBackByPriority) }
      return nil
    }
    met.insert(.acknowledged)
    page.put(false, vector, in: .interruptRequest)
    if !page.has(vector, in: .inService) { service = ServiceRecord(count: service.count + 1, highest: vector) }
    page.put(true, vector, in: .inService)
    virtualization.serviceVector = virtualization.isActive ? vector.rawValue : virtualization.serviceVector
    virtualizeProcessorPriority()
    return vector
  }

  /// A write to the EOI register: the highest vector in service is done (SDM volume 3A, section 12.8.5).
  ///
  /// - Returns: The vector, where the IOAPICs are to hear of it, and whether it was level-triggered.
  mutating func endOfInterrupt() -> (vector: Vector, isLevel: Bool)? {
    guard let vector = highestInService else {
      met.insert(.nothingInService)
      return nil
    }
    met.insert(.serviceEnded)
    if page.has(vector, in: .inService) { service = ServiceRecord(count: service.count - 1) }
    page.put(false, vector, in: .inService)
    updateServiceVector()
    updateProcessorPriority()
    return heardEnd(of: vector)
  }

  /// What the IOAPICs hear of the end of a service.
  mutating func heardEnd(of vector: Vector) -> (vector: Vector, isLevel: Bool)? {
    processor.hasEvent = true
    if processor.staleVector == vector.rawValue { processor.hasScanRequest = true }
    guard broadcastVectors.contains(vector) || !deviations.contains(.endOfInterruptMapAtEntry) else { return nil }
    met.insert(.endHeardByIOAPIC)
    return (vector, page.has(vector, in: .triggerModes))
  }
}

/// The three sets of vectors, reached through the page without being copied: most of what a local APIC does is a bit in
/// one of them.
extension LocalAPICState {
  /// Whether a vector is in the ISR, the TMR or the IRR.
  @inline(__always)
  func has(_ vector: Vector, in set: LocalAPICRegister) -> Bool {
    registers[Self.word(vector, set)] >> (UInt32(vector.rawValue) & 31) & 1 != 0
  }

  /// Puts a vector into the ISR, the TMR or the IRR, or takes it out.
  @inline(__always)
  mutating func put(_ isMember: Bool, _ vector: Vector, in set: LocalAPICRegister) {
    let bit = UInt32(1) << (UInt32(vector.rawValue) & 31)
    let word = Self.word(vector, set)
    registers[word] = isMember ? registers[word] | bit : registers[word] & ~bit
  }

  /// The highest vector in the ISR, the TMR or the IRR.
  @inline(__always)
  func highest(in set: LocalAPICRegister) -> Vector? {
    var index = 7
    while index >= 0 {
      let word = registers[Int(set.rawValue >> 2) + index * 4]
      if word != 0 { return Vector(rawValue: UInt8(index * 32 + 31 - word.leadingZeroBitCount)) }
      index -= 1
    }
    return nil
  }

  @inline(__always)
  private static func word(_ vector: Vector, _ set: LocalAPICRegister) -> Int {
    Int(set.rawValue >> 2) + Int(vector.rawValue >> 5) * 4
  }
}
