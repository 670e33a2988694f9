import APIC

/// An IOAPIC (82093AA, with the EOI register of version 0x20) as a value: what its pins and registers hold, and what it
/// wants sent when they change.
struct IOAPICModel: Hashable {
  static let version: UInt32 = 0x20

  /// What a change asks of the outside.
  struct Effect: Hashable {
    /// Messages to send to local APICs, in order.
    var messages: [MSIMessage] = []
    /// The pin whose redirection entry changed, so that KVM must learn which vectors need an EOI exit.
    var rewrittenPin: Int?
    /// Whether an asserted line was merged into an interrupt that is still in service.
    var isCoalesced = false
  }

  private(set) var id: UInt32 = 0
  private(set) var selected: UInt8 = 0
  private(set) var entries = [RedirectionEntry](repeating: .masked, count: IOAPIC.pinCount)
  /// The pins' levels, a bit each.
  private(set) var levels: UInt32 = 0
  /// Edges that came while their pin was masked, a bit each.
  private(set) var pendingEdges: UInt32 = 0

  /// Sets the level of a pin; one that does not exist is ignored.
  mutating func setLine(pin: Int, to level: Bool) -> Effect {
    guard entries.indices.contains(pin) else { return Effect() }
    let bit = UInt32(1) << UInt32(pin)
    let wasHigh = levels & bit != 0
    levels = level ? levels | bit : levels & ~bit
    guard level else { return Effect() }
    switch entries[pin].triggerMode {
    case .edge:
      guard !wasHigh else { return Effect(isCoalesced: true) }
      pendingEdges |= bit
    case .level:
      guard !entries[pin].remoteIRR else { return Effect(isCoalesced: true) }
    }
    return service(pin)
  }

  /// A local APIC ended the service of `vector`, which was level-triggered: a line that is still up interrupts again.
  mutating func endOfInterrupt(_ vector: Vector) -> Effect {
    var effect = Effect()
    for pin in entries.indices
    where entries[pin].vector == vector && entries[pin].triggerMode == .level && entries[pin].remoteIRR {
      entries[pin].remoteIRR = false
      effect.messages += service(pin).messages
    }
    return effect
  }

  /// A read from the register at `offset` of the chip's page.
  func read(at offset: UInt64) -> UInt32 {
    switch offset {
    case IOAPIC.registerSelectOffset: UInt32(selected)
    case IOAPIC.windowOffset: register
    default: 0
    }
  }

  /// A write to the register at `offset` of the chip's page.
  mutating func write(_ value: UInt32, at offset: UInt64) -> Effect {
    switch offset {
    case IOAPIC.registerSelectOffset:
      selected = UInt8(truncatingIfNeeded: value)
      return Effect()
    case IOAPIC.windowOffset: return writeRegister(value)
    case IOAPIC.endOfInterruptOffset: return endOfInterrupt(Vector(rawValue: UInt8(truncatingIfNeeded: value)))
    default: return Effect()
    }
  }

  private var register: UInt32 {
    switch IOAPICRegister(rawValue: selected) {
    case .id, .arbitration: return id
    case .version: return Self.version | UInt32(IOAPIC.pinCount - 1) << 16
    default:
      guard let (pin, isHigh) = selectedEntry else { return 0 }
      return isHigh ? entries[pin].high : entries[pin].low
    }
  }

  private mutating func writeRegister(_ value: UInt32) -> Effect {
    if IOAPICRegister(rawValue: selected) == .id {
      id = value & 0x0f00_0000
      return Effect()
    }
    guard let (pin, isHigh) = selectedEntry else { return Effect() }
    let old = entries[pin]
    if isHigh {
      entries[pin].high = value
    } else {
      entries[pin].low = value
      // Delivery status and remote IRR are the chip's own; remote IRR means nothing on an edge pin (section 3.2.4).
      entries[pin].isPending = false
      entries[pin].remoteIRR = entries[pin].triggerMode == .level && old.remoteIRR
    }
    var effect = service(pin)
    effect.rewrittenPin = pin
    return effect
  }

  /// The redirection entry that IOREGSEL points into.
  private var selectedEntry: (pin: Int, isHigh: Bool)? {
    let first = IOAPICRegister.redirectionLow(pin: 0).rawValue
    guard selected >= first, Int(selected - first) / 2 < entries.count else { return nil }
    return (Int(selected - first) / 2, selected & 1 != 0)
  }

  /// Sends what a pin has waiting, if it may.
  private mutating func service(_ pin: Int) -> Effect {
    let bit = UInt32(1) << UInt32(pin)
    let entry = entries[pin]
    guard !entry.isMasked else { return Effect() }
    switch entry.triggerMode {
    case .edge:
      guard pendingEdges & bit != 0 else { return Effect() }
      pendingEdges &= ~bit
    case .level:
      guard levels & bit != 0, !entry.remoteIRR else { return Effect() }
      entries[pin].remoteIRR = true
    }
    return Effect(messages: [entry.message])
  }
}

extension IOAPICModel {
  /// A chip that goes on from a state.
  init(_ state: SplitIOAPICState) {
    id = state.id
    selected = state.selected
    // A chip has 24 pins, whatever it is told.
    entries = Array(state.entries.prefix(IOAPIC.pinCount) + entries.dropFirst(state.entries.count))
    levels = state.levels
    pendingEdges = state.pendingEdges
  }

  /// What it holds.
  var state: SplitIOAPICState {
    var state = SplitIOAPICState()
    state.id = id
    state.selected = selected
    state.entries = entries
    state.levels = levels
    state.pendingEdges = pendingEdges
    return state
  }
}
