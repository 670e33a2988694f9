public import APIC

/// An IOAPIC as a value (82093AA data sheet).
///
/// It says what is to be sent; the machine sends it, and says back whether it was taken.
public struct ReferenceIOAPIC: Hashable, Sendable {
  /// The chip's ID, 0 to 15.
  public package(set) var id: UInt32 = 0
  /// IOREGSEL.
  public package(set) var selected: UInt32 = 0
  /// The redirection table.
  public package(set) var entries = InlineArray<24, UInt64>(repeating: RedirectionEntry.masked.rawValue)
  /// The pins that are high, or have an edge that is not sent: pin 0 in bit 0.
  public package(set) var requests: UInt32 = 0
  /// The edge-triggered pins whose edge was sent while they stay high.
  public package(set) var sentEdges: UInt32 = 0
  /// Which sources hold each pin high, a bit a source.
  var sources = InlineArray<24, UInt8>(repeating: 0)
  /// How many interrupts of pin 8 are not ended yet, with `Deviation.clockEdgesMerged` (`rtc_status.pending_eoi`).
  var clockPending = 0
  /// The vCPUs that have one in hand.
  var clockHolders: UInt64 = 0
  /// The vectors that they were sent.
  var clockVectors = InlineArray<64, UInt8>(repeating: 0)
  /// Where it differs from the data sheet.
  public let deviations: Deviations
  /// Its version: from 0x20 on it has an EOI register.
  public let version: UInt8

  /// A chip after power-on: every pin is masked.
  public init(version: UInt8 = 0x11, deviations: Deviations = .none) {
    self.version = version
    self.deviations = deviations
  }

  /// A pin's redirection entry.
  ///
  /// - Parameter pin: 0 to 23.
  public subscript(pin: Int) -> RedirectionEntry {
    get { RedirectionEntry(rawValue: entries[pin]) }
    set { entries[pin] = newValue.rawValue }
  }

  /// The pin of the real-time clock.
  public static var clockPin: Int { 8 }

  /// Whether registers, levels and redirection table are the same.
  public static func == (left: ReferenceIOAPIC, right: ReferenceIOAPIC) -> Bool {
    guard left.id == right.id, left.selected == right.selected, left.requests == right.requests else { return false }
    for pin in left.entries.indices where left.entries[pin] != right.entries[pin] { return false }
    return true
  }

  /// Feeds what equality looks at to the hasher.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(id)
    hasher.combine(selected)
    hasher.combine(requests)
    for pin in entries.indices { hasher.combine(entries[pin]) }
  }
}

extension ReferenceIOAPIC {
  /// Reads at an offset from the chip's address (82093AA data sheet, section 3.1).
  public func read(at offset: UInt64) -> UInt32 {
    switch offset {
    case IOAPIC.registerSelectOffset: selected
    case IOAPIC.windowOffset: register
    default: 0
    }
  }

  private var register: UInt32 {
    switch IOAPICRegister(rawValue: UInt8(truncatingIfNeeded: selected)) {
    case .id, .arbitration: return (id & 0xf) << 24
    case .version: return UInt32(version) | 23 << 16
    default:
      guard let (pin, isHigh) = selectedEntry else { return .max }
      return isHigh ? self[pin].high : self[pin].low
    }
  }

  private var selectedEntry: (pin: Int, isHigh: Bool)? {
    guard selected >= 0x10, selected < 0x40 else { return nil }
    return (Int(selected - 0x10) / 2, selected & 1 != 0)
  }

  /// Writes at an offset from the chip's address.
  ///
  /// - Returns: The pins that send because of it, as a bit each, and the vector whose service the write ends.
  mutating func write(_ value: UInt32, at offset: UInt64) -> (sending: UInt32, ended: Vector?) {
    switch offset {
    case IOAPIC.registerSelectOffset: selected = value & 0xff
    case IOAPIC.windowOffset: return (writeRegister(value), nil)
    case IOAPIC.endOfInterruptOffset where version >= 0x20:
      return (0, Vector(rawValue: UInt8(truncatingIfNeeded: value)))
    default: break
    }
    return (0, nil)
  }

  private mutating func writeRegister(_ value: UInt32) -> UInt32 {
    if selected == UInt32(IOAPICRegister.id.rawValue) {
      id = value >> 24 & 0xf
      return 0
    }
    guard let (pin, isHighHalf) = selectedEntry else { return 0 }
    let old = self[pin]
    if isHighHalf { self[pin].high = value } else { self[pin].low = value }
    // Read-only bits of the chip (82093AA data sheet, section 3.2.4).
    self[pin].remoteIRR = old.remoteIRR
    self[pin].isPending = old.isPending
    if self[pin].triggerMode == .edge { self[pin].remoteIRR = false }
    let isHigh = requests >> UInt32(pin) & 1 != 0
    return self[pin].triggerMode == .level && isHigh && canSend(pin) ? 1 << UInt32(pin) : 0
  }
}

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
    endClock(vector, vcpu: vcpu)
    guard isLevel, !isSuppressed else { return 0 }
    var again: UInt32 = 0
    for pin in entries.indices where endPin(pin, vector) { again |= 1 << UInt32(pin) }
    return again
  }

  /// A vCPU may have ended an interrupt of pin 8 (`rtc_irq_eoi`).
  mutating func endClock(_ vector: Vector, vcpu: Int) {
    guard clockHolders >> UInt64(vcpu) & 1 != 0, clockVectors[vcpu] == vector.rawValue else { return }
    clockHolders &= ~(1 << UInt64(vcpu))
    clockPending -= 1
  }

  /// The end of a vector's service reaches a pin (`kvm_ioapic_update_eoi_one`).
  ///
  /// - Returns: Whether the pin asks to send again.
  mutating func endPin(_ pin: Int, _ vector: Vector) -> Bool {
    guard self[pin].vector == vector,
      self[pin].triggerMode == .level || deviations.contains(.edgeSentAgainAtEOI)
    else { return false }
    self[pin].remoteIRR = false
    return !self[pin].isMasked && requests >> UInt32(pin) & 1 != 0
  }
}
