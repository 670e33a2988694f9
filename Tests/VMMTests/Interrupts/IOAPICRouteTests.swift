import APIC
import Testing

@testable import VMM

/// What KVM is told of the pins of a split irqchip's IOAPIC: whatever waits for its EOI has a route, until it has come.
@Suite struct IOAPICRouteTests {
  private var chip = IOAPICModel()
  private let level = RedirectionEntry(vector: 0x41, destination: .physical(1), triggerMode: .level)
  private let edge = RedirectionEntry(vector: 0x31, destination: .physical(0))

  @discardableResult
  private mutating func program(_ pin: Int, _ entry: RedirectionEntry) -> [Int] {
    _ = chip.write(UInt32(IOAPICRegister.redirectionHigh(pin: pin).rawValue), at: IOAPIC.registerSelectOffset)
    let first = chip.write(entry.high, at: IOAPIC.windowOffset)
    _ = chip.write(UInt32(IOAPICRegister.redirectionLow(pin: pin).rawValue), at: IOAPIC.registerSelectOffset)
    return first.reroutedPins + chip.write(entry.low, at: IOAPIC.windowOffset).reroutedPins
  }

  private func changed(_ entry: RedirectionEntry, _ change: (inout RedirectionEntry) -> Void) -> RedirectionEntry {
    var entry = entry
    change(&entry)
    return entry
  }

  /// The route that only tells KVM of a vector on a vCPU.
  private func forEOIOnly(_ message: MSIMessage) -> MSIMessage {
    var message = message
    message.deliveryMode = .external
    return message
  }

  @Test mutating func `an unmasked pin is routed and a masked one is not, and KVM is told of changes only`() {
    #expect(program(9, changed(edge) { $0.isMasked = true }).isEmpty)
    #expect(program(9, edge) == [9])
    #expect(chip.routes[9] == edge.message)
    #expect(program(9, edge).isEmpty)
    #expect(program(9, changed(edge) { $0.isMasked = true }) == [9])
    #expect(chip.routes[9] == nil)
    program(9, level)
    #expect(program(9, changed(level) { $0.isMasked = true }) == [9])
    #expect(chip.routes[9] == nil)
  }

  @Test mutating func `a pin that is masked in service is routed until its EOI, by a route that delivers nothing`() {
    program(5, level)
    _ = chip.setLine(pin: 5, to: true)
    #expect(program(5, changed(level) { $0.isMasked = true }) == [5])
    #expect(chip.routes[5] == forEOIOnly(level.message))
    #expect(chip.endOfInterrupt(0x41) == IOAPICModel.Effect())
    #expect(program(5, level) == [5])
    #expect(chip.routes[5] == level.message)
    #expect(chip.entries[5].remoteIRR)
  }

  @Test mutating func `a route that is kept for an EOI goes when the pin becomes edge-triggered`() {
    program(5, level)
    _ = chip.setLine(pin: 5, to: true)
    program(5, changed(level) { $0.isMasked = true })
    program(5, changed(edge) { $0.isMasked = true })
    #expect(chip.routes[5] == nil)
  }

  @Test mutating func `a destination that is changed in service waits for the EOI of the old one, then is the route`() {
    let moved = changed(level) { $0.destination = .physical(3) }
    program(5, level)
    _ = chip.setLine(pin: 5, to: true)
    program(5, moved)
    #expect(chip.routes[5] == forEOIOnly(level.message))
    let effect = chip.endOfInterrupt(0x41)
    #expect(effect.reroutedPins == [5])
    #expect(chip.routes[5] == moved.message)
    #expect(effect.requests == [.init(pin: 5, message: moved.message)])
  }

  @Test mutating func `a vector that is rewritten in service is what KVM must look for, and may be rewritten back`() {
    let rewritten = changed(level) {
      $0.vector = 0x42
      $0.destination = .physical(2)
    }
    program(5, level)
    _ = chip.setLine(pin: 5, to: true)
    program(5, rewritten)
    #expect(chip.routes[5] == rewritten.message)
    program(5, level)
    #expect(chip.routes[5] == level.message)
  }

  @Test mutating func `of two pins with one vector each keeps its route, and one EOI ends both`() {
    let other = changed(level) { $0.destination = .physical(2) }
    program(5, level)
    program(6, other)
    for pin in [5, 6] { _ = chip.setLine(pin: pin, to: true) }
    program(5, changed(level) { $0.isMasked = true })
    #expect(chip.routes[5] == forEOIOnly(level.message))
    #expect(chip.routes[6] == other.message)
    #expect(chip.endOfInterrupt(0x41).requests == [.init(pin: 6, message: other.message)])
    #expect(!chip.entries[5].remoteIRR)
    #expect(chip.entries[6].remoteIRR)
  }

  @Test(arguments: [DeliveryMode.lowestPriority, .nmi, .smi])
  mutating func `a delivery mode is the route's, until the pin is masked in service`(mode: DeliveryMode) {
    let entry = changed(level) { $0.deliveryMode = mode }
    program(5, entry)
    #expect(chip.routes[5]?.deliveryMode == mode)
    _ = chip.setLine(pin: 5, to: true)
    program(5, changed(entry) { $0.isMasked = true })
    #expect(chip.routes[5] == forEOIOnly(entry.message))
  }

  @Test func `a chip that is restored has what KVM needs for the EOIs that are still to come, and nothing is sent`() {
    var state = SplitIOAPICState()
    // In service and masked; in service at another destination than the entry's; edge-triggered; idle.
    state.entries[1] = changed(level) { ($0.remoteIRR, $0.isMasked) = (true, true) }
    state.entries[2] = changed(level) { $0.remoteIRR = true }
    state.entries[3] = edge
    state.levels = 0b1110
    var routes = [MSIMessage?](repeating: nil, count: 3)
    var old = level.message
    old.destination = .physical(7)
    routes[2] = forEOIOnly(old)
    var chip = IOAPICModel(state, routes: routes)
    let effect = chip.resume()
    #expect(effect == IOAPICModel.Effect(reroutedPins: [1, 3]))
    #expect(chip.routes[0...3] == [nil, forEOIOnly(level.message), forEOIOnly(old), edge.message])
    #expect(chip.state == state)
    #expect(chip.endOfInterrupt(0x41).requests == [.init(pin: 2, message: level.message)])
  }
}
