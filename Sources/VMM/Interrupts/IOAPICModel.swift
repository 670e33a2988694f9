import APIC

/// An IOAPIC as a value: what its pins and registers hold, and what it wants sent when they change.
///
/// It is the 82093AA with the EOI register of version 0x20, and behaves as the chip in the kernel does
/// (arch/x86/kvm/ioapic.c), so that a guest finds the same chip with either irqchip:
///
/// - An edge on a masked pin is lost (82093AA data sheet, section 3.2.4, interrupt mask).
/// - A level-triggered pin sends whenever it is high, unmasked, and not waiting for an EOI (remote IRR).
/// - An EOI ends the service of every level-triggered pin whose entry has that vector now: one whose vector was rewritten
///   in service waits for an EOI of the new vector, or for being made edge-triggered.
/// - The polarity bit changes nothing: a line that is asserted is high.
///
/// Two things are different on purpose. An EOI sends nothing for an edge-triggered pin whose line is high, as the data
/// sheet has it. Pin 8, the RTC, does not merge edges until its EOI (`rtc_irq_check_coalesced`): nobody tells user space
/// of the EOI of an edge.
struct IOAPICModel: Hashable {
  static let version: UInt32 = 0x20

  /// A message that a pin sends.
  struct Request: Hashable {
    var pin: Int
    var message: MSIMessage
  }

  /// What a change asks of the outside: first to tell KVM of the routes, then to send.
  struct Effect: Hashable {
    /// What is to be sent to local APICs, in order.
    var requests: [Request] = []
    /// The pins whose `routes` changed.
    var reroutedPins: [Int] = []
    /// Whether an edge-triggered line was raised that was high already.
    var isCoalesced = false
    /// Whether a line that is still high is to interrupt again only after a while, by `resend`.
    var isDelayed = false
  }

  /// How often a line that stays high interrupts again right at its EOI. After so many times it waits a moment, so that a
  /// guest whose handler does not lower its line gets on nevertheless (`IOAPIC_SUCCESSIVE_IRQ_MAX_COUNT`).
  static let successiveLimit = 10_000

  private(set) var id: UInt32 = 0
  private(set) var selected: UInt8 = 0
  private(set) var entries = [RedirectionEntry](repeating: .masked, count: IOAPIC.pinCount)
  /// The pins' levels, a bit each.
  private(set) var levels: UInt32 = 0
  /// What KVM is to know of each pin. It learns from the routes of the pins' GSIs which vectors are level-triggered on
  /// which vCPU, and exits at their EOI alone (`kvm_scan_ioapic_routes`).
  private(set) var routes = [MSIMessage?](repeating: nil, count: IOAPIC.pinCount)
  /// What each pin with remote IRR sent last: whose EOI it waits for.
  private(set) var inService = [MSIMessage?](repeating: nil, count: IOAPIC.pinCount)
  /// How often each pin has interrupted again right at its EOI.
  private var successive = [Int](repeating: 0, count: IOAPIC.pinCount)

  /// A chip after power-on.
  init() {}

  /// Sets the level of a pin; one that does not exist is ignored.
  mutating func setLine(pin: Int, to level: Bool) -> Effect {
    guard entries.indices.contains(pin) else { return Effect() }
    let wasHigh = isHigh(pin)
    let bit = UInt32(1) << UInt32(pin)
    levels = level ? levels | bit : levels & ~bit
    guard level else { return Effect() }
    if entries[pin].triggerMode == .edge, wasHigh { return Effect(isCoalesced: true) }
    var effect = Effect()
    send(pin, &effect)
    return effect
  }

  /// A vCPU ended the service of an interrupt with that vector: a line that is still high interrupts again.
  mutating func endOfInterrupt(_ vector: Vector) -> Effect {
    var effect = Effect()
    for pin in entries.indices where awaitsEOI(pin) && entries[pin].vector == vector {
      endService(pin)
      reroute(pin, &effect)
      guard isHigh(pin), !entries[pin].isMasked else {
        successive[pin] = 0
        continue
      }
      successive[pin] += 1
      if successive[pin] == Self.successiveLimit {
        successive[pin] = 0
        effect.isDelayed = true
      } else {
        send(pin, &effect)
      }
    }
    return effect
  }

  /// Sends what level-triggered pins that are high have not sent (`kvm_ioapic_eoi_inject_work`).
  mutating func resend() -> Effect {
    var effect = Effect()
    for pin in entries.indices where entries[pin].triggerMode == .level && isHigh(pin) { send(pin, &effect) }
    return effect
  }

  /// No local APIC took what a pin sent: its service has not begun.
  mutating func wasRefused(_ pin: Int) -> Effect {
    var effect = Effect()
    endService(pin)
    reroute(pin, &effect)
    return effect
  }

  /// Whether a pin waits for the EOI of that vector.
  func awaitsEOI(_ vector: Vector) -> Bool {
    entries.indices.contains { awaitsEOI($0) && entries[$0].vector == vector }
  }

  /// A read from the register at `offset` from the chip's address.
  func read(at offset: UInt64) -> UInt32 {
    switch offset {
    case IOAPIC.registerSelectOffset: UInt32(selected)
    case IOAPIC.windowOffset: register
    default: 0
    }
  }

  /// A write to the register at `offset` from the chip's address.
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
}

extension IOAPICModel {
  /// What the window shows. A register that does not exist reads as ones (`ioapic_read_indirect`).
  private var register: UInt32 {
    switch IOAPICRegister(rawValue: selected) {
    case .id, .arbitration: return id
    case .version: return Self.version | UInt32(IOAPIC.pinCount - 1) << 16
    default:
      guard let (pin, isHigh) = selectedEntry else { return .max }
      return isHigh ? entries[pin].high : entries[pin].low
    }
  }

  private mutating func writeRegister(_ value: UInt32) -> Effect {
    if IOAPICRegister(rawValue: selected) == .id {
      id = value & 0x0f00_0000
      return Effect()
    }
    guard let (pin, isHighHalf) = selectedEntry else { return Effect() }
    let old = entries[pin]
    if isHighHalf {
      entries[pin].high = value
    } else {
      entries[pin].low = value
      // Delivery status and remote IRR are the chip's own (82093AA data sheet, section 3.2.4).
      entries[pin].isPending = old.isPending
      entries[pin].remoteIRR = old.remoteIRR
      // Software that has no EOI register ends a service by making the pin edge-triggered.
      if entries[pin].triggerMode == .edge { endService(pin) }
    }
    var effect = Effect()
    reroute(pin, &effect)
    if entries[pin].triggerMode == .level, isHigh(pin) { send(pin, &effect) }
    return effect
  }

  /// The redirection entry that IOREGSEL points into.
  private var selectedEntry: (pin: Int, isHighHalf: Bool)? {
    let first = IOAPICRegister.redirectionLow(pin: 0).rawValue
    guard selected >= first, Int(selected - first) / 2 < entries.count else { return nil }
    return (Int(selected - first) / 2, selected & 1 != 0)
  }

  private func isHigh(_ pin: Int) -> Bool { levels >> UInt32(pin) & 1 != 0 }

  /// Whether a pin waits for an EOI.
  func awaitsEOI(_ pin: Int) -> Bool { entries[pin].triggerMode == .level && entries[pin].remoteIRR }

  /// Sends a pin's message, if it may (`ioapic_service`).
  private mutating func send(_ pin: Int, _ effect: inout Effect) {
    guard !entries[pin].isMasked, !awaitsEOI(pin) else { return }
    let message = entries[pin].message
    if entries[pin].triggerMode == .level {
      entries[pin].remoteIRR = true
      inService[pin] = message
    }
    effect.requests.append(Request(pin: pin, message: message))
  }

  private mutating func endService(_ pin: Int) {
    entries[pin].remoteIRR = false
    inService[pin] = nil
  }

  private mutating func reroute(_ pin: Int, _ effect: inout Effect) {
    let route = route(of: pin)
    guard route != routes[pin] else { return }
    routes[pin] = route
    effect.reroutedPins.append(pin)
  }
}

extension IOAPICModel {
  /// A chip that goes on from a state.
  ///
  /// - Parameters:
  ///   - state: what it held.
  ///   - routes: what KVM knows of each pin.
  init(_ state: SplitIOAPICState, routes known: [MSIMessage?]) {
    id = state.id
    selected = state.selected
    // A chip has 24 pins, whatever it is told.
    entries = Array(state.entries.prefix(IOAPIC.pinCount) + entries.dropFirst(state.entries.count))
    levels = state.levels
    routes = Array(known.prefix(IOAPIC.pinCount) + routes.dropFirst(known.count))
    for pin in entries.indices where awaitsEOI(pin) {
      inService[pin] = entries[pin].message
      if let route = routes[pin], route.vector == entries[pin].vector {
        inService[pin]?.destination = route.destination
      }
    }
  }

  /// Goes on after a restore: has KVM know what it does not know yet, and sends what was still to be sent
  /// (`kvm_ioapic_inject_all`).
  mutating func resume() -> Effect {
    var effect = Effect()
    for pin in entries.indices { reroute(pin, &effect) }
    effect.requests = resend().requests
    return effect
  }

  /// What it holds.
  var state: SplitIOAPICState {
    var state = SplitIOAPICState()
    state.id = id
    state.selected = selected
    state.entries = entries
    state.levels = levels
    return state
  }
}
