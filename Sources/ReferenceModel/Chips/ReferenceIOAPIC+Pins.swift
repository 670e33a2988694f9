import APIC

/// What a change of an IOAPIC asks of the machine.
public enum PinEffect: Hashable, Sendable {
  /// Nothing; that is the answer to who raised the line.
  case answer(DeliveryAnswer)
  /// The pin's message is to be sent.
  case send
}

extension ReferenceIOAPIC {
  /// One of those who drive a line changes it; the pin is high while any of them holds it (`__kvm_irq_line_state`).
  ///
  /// - Parameters:
  ///   - pin: 0 to 23.
  ///   - source: 0 to 7.
  ///   - level: Whether it drives the line high.
  ///   - tellsStatus: Whether the caller wants to know what became of it: pin 8 merges edges only then.
  public mutating func setLine(pin: Int, source: UInt8, to level: Bool, tellsStatus: Bool) -> PinEffect {
    sources[pin] = level ? sources[pin] | 1 << source : sources[pin] & ~(1 << source)
    return setPin(pin, to: sources[pin] != 0, tellsStatus: tellsStatus)
  }

  /// The pin's level (82093AA data sheet, section 3.2.4; `ioapic_set_irq`).
  mutating func setPin(_ pin: Int, to level: Bool, tellsStatus: Bool) -> PinEffect {
    let bit = UInt32(1) << UInt32(pin)
    let isHigh = self[pin].polarity == .activeHigh || deviations.contains(.polarityIgnored) ? level : !level
    guard isHigh else {
      requests &= ~bit
      return .answer(.delivered(1))
    }
    if pin == Self.clockPin, tellsStatus, clockPending > 0 { return .answer(.coalesced) }
    let wasHigh = requests & bit != 0
    requests |= bit
    if self[pin].triggerMode == .edge {
      sentEdges &= ~bit
      if wasHigh { return .answer(.coalesced) }
    }
    return canSend(pin) ? .send : .answer(.ignored)
  }

  /// Whether a pin may send: it is not masked, and if level-triggered does not wait for an EOI.
  func canSend(_ pin: Int) -> Bool {
    let entry = self[pin]
    return !entry.isMasked && !(entry.triggerMode == .level && entry.remoteIRR)
  }

  /// A pin's message is on its way: what KVM notes before it is sent.
  mutating func willSend(_ pin: Int) {
    if self[pin].triggerMode == .edge { sentEdges |= 1 << UInt32(pin) }
  }

  /// A pin's message was sent. Remote IRR is set when a local APIC accepts it (82093AA data sheet, section 3.2.4).
  mutating func didSend(_ pin: Int, _ answer: DeliveryAnswer) {
    // KVM takes "nobody was there" for accepted here: only 0 is not (`ioapic_service`).
    if self[pin].triggerMode == .level, answer != .coalesced { self[pin].remoteIRR = true }
  }

  /// A local APIC ended a service (82093AA data sheet, section 3.2.4, remote IRR).
  ///
  /// - Parameters:
  ///   - vector: Which.
  ///   - isLevel: Whether its local APIC had it as level-triggered.
  ///   - isSuppressed: Whether that local APIC keeps EOIs from the IOAPICs.
  ///   - vcpu: The local APIC's processor.
  /// - Returns: The pins that send again, as a bit each.
  mutating func endOfInterrupt(_ vector: Vector, isLevel: Bool, isSuppressed: Bool, vcpu: Int) -> UInt32 {
    if clockHolders >> UInt64(vcpu) & 1 != 0, clockVectors[vcpu] == vector.rawValue {
      clockHolders &= ~(1 << UInt64(vcpu))
      clockPending -= 1
    }
    guard isLevel, !isSuppressed else { return 0 }
    var again: UInt32 = 0
    for pin in entries.indices where self[pin].vector == vector {
      guard self[pin].triggerMode == .level || deviations.contains(.edgeSentAgainAtEOI) else { continue }
      self[pin].remoteIRR = false
      if !self[pin].isMasked, requests >> UInt32(pin) & 1 != 0 { again |= 1 << UInt32(pin) }
    }
    return again
  }
}
