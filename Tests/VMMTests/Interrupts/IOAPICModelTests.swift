import APIC
import Testing

@testable import VMM

/// The IOAPIC of a split irqchip, as a value: what it is told and what it sends.
@Suite struct IOAPICModelTests {
  private var chip = IOAPICModel()
  private let edge = RedirectionEntry(vector: 0x31, destination: .physical(0))
  private let level = RedirectionEntry(vector: 0x41, destination: .physical(1), triggerMode: .level)

  private mutating func write(_ value: UInt32, to register: IOAPICRegister) -> IOAPICModel.Effect {
    _ = chip.write(UInt32(register.rawValue), at: IOAPIC.registerSelectOffset)
    return chip.write(value, at: IOAPIC.windowOffset)
  }

  private mutating func read(_ register: IOAPICRegister) -> UInt32 {
    _ = chip.write(UInt32(register.rawValue), at: IOAPIC.registerSelectOffset)
    return chip.read(at: IOAPIC.windowOffset)
  }

  /// Writes a pin's entry and gives the effect of its low half, which has the mask.
  @discardableResult
  private mutating func program(_ pin: Int, _ entry: RedirectionEntry) -> IOAPICModel.Effect {
    _ = write(entry.high, to: .redirectionHigh(pin: pin))
    return write(entry.low, to: .redirectionLow(pin: pin))
  }

  private func masked(_ entry: RedirectionEntry) -> RedirectionEntry {
    var entry = entry
    entry.isMasked = true
    return entry
  }

  @Test mutating func `after power-on every pin is masked`() {
    for pin in 0..<IOAPIC.pinCount {
      #expect(read(.redirectionLow(pin: pin)) == RedirectionEntry.masked.low)
      #expect(chip.setLine(pin: pin, to: true).messages.isEmpty)
    }
    #expect(read(.version) == 0x0017_0020)
    #expect(read(.id) == 0)
  }

  @Test mutating func `a rising edge sends the message once`() {
    program(3, edge)
    #expect(chip.setLine(pin: 3, to: true).messages == [edge.message])
    #expect(chip.setLine(pin: 3, to: true) == IOAPICModel.Effect(isCoalesced: true))
    #expect(chip.setLine(pin: 3, to: false) == IOAPICModel.Effect())
    #expect(chip.setLine(pin: 3, to: true).messages == [edge.message])
    #expect(!chip.entries[3].remoteIRR)
  }

  @Test mutating func `an edge on a masked pin is lost, and the next one after the unmasking counts`() {
    program(3, masked(edge))
    #expect(chip.setLine(pin: 3, to: true) == IOAPICModel.Effect())
    #expect(chip.setLine(pin: 3, to: true) == IOAPICModel.Effect(isCoalesced: true))
    #expect(program(3, edge).messages.isEmpty)
    #expect(chip.setLine(pin: 3, to: true) == IOAPICModel.Effect(isCoalesced: true))
    _ = chip.setLine(pin: 3, to: false)
    #expect(chip.setLine(pin: 3, to: true).messages == [edge.message])
  }

  @Test mutating func `a pin that becomes level-triggered sends if it is high, whenever its edge came`() {
    program(3, masked(edge))
    _ = chip.setLine(pin: 3, to: true)
    _ = chip.setLine(pin: 3, to: false)
    #expect(program(3, level).messages.isEmpty)
    program(3, masked(edge))
    _ = chip.setLine(pin: 3, to: true)
    #expect(program(3, masked(level)).messages.isEmpty)
    #expect(program(3, level).messages == [level.message])
  }

  @Test mutating func `a pin that becomes edge-triggered sends nothing for a line that was high before`() {
    program(3, level)
    _ = chip.setLine(pin: 3, to: true)
    #expect(program(3, edge).messages.isEmpty)
    _ = chip.setLine(pin: 3, to: false)
    #expect(program(3, edge).messages.isEmpty)
    #expect(chip.setLine(pin: 3, to: true).messages == [edge.message])
  }

  @Test mutating func `polarity is the wiring's, which a line that is asserted has behind it`() {
    var low = level
    low.polarity = .activeLow
    #expect(program(3, low).messages.isEmpty)
    #expect(chip.setLine(pin: 3, to: true).messages == [low.message])
  }

  @Test mutating func `a level sets remote IRR and is not sent again before its EOI`() {
    program(5, level)
    #expect(chip.setLine(pin: 5, to: true).messages == [level.message])
    #expect(RedirectionEntry(low: read(.redirectionLow(pin: 5)), high: 0).remoteIRR)
    #expect(chip.setLine(pin: 5, to: true) == IOAPICModel.Effect())
    #expect(program(5, level).messages.isEmpty)
  }

  @Test
  mutating func `a level that no local APIC takes is not in service, and is sent again when its entry is written`() {
    program(5, level)
    #expect(chip.setLine(pin: 5, to: true).messages == [level.message])
    #expect(chip.wasRefused(5) == IOAPICModel.Effect())
    #expect(!chip.entries[5].remoteIRR)
    #expect(write(level.low, to: .redirectionLow(pin: 5)).messages == [level.message])
    #expect(chip.entries[5].remoteIRR)
  }

  @Test mutating func `an EOI with the line still up sends it again, with the line down it does not`() {
    program(5, level)
    _ = chip.setLine(pin: 5, to: true)
    #expect(chip.endOfInterrupt(0x40).messages.isEmpty)
    #expect(chip.endOfInterrupt(0x41).messages == [level.message])
    #expect(chip.entries[5].remoteIRR)
    _ = chip.setLine(pin: 5, to: false)
    #expect(chip.entries[5].remoteIRR)
    #expect(chip.endOfInterrupt(0x41).messages.isEmpty)
    #expect(!chip.entries[5].remoteIRR)
  }

  @Test mutating func `a line that nobody lowers interrupts 10000 times at its EOI, then waits a moment`() {
    program(5, level)
    _ = chip.setLine(pin: 5, to: true)
    for round in 0..<2 {
      for _ in 1..<IOAPICModel.successiveLimit { #expect(chip.endOfInterrupt(0x41).messages == [level.message]) }
      #expect(chip.endOfInterrupt(0x41) == IOAPICModel.Effect(isDelayed: true), "round \(round)")
      #expect(!chip.entries[5].remoteIRR)
      // A restore in that moment makes up for it too.
      var restored = IOAPICModel(chip.state, routes: chip.routes)
      #expect(restored.resume().messages == [level.message])
      #expect(chip.resend().messages == [level.message])
      #expect(chip.resend() == IOAPICModel.Effect())
    }
    _ = chip.setLine(pin: 5, to: false)
    #expect(chip.endOfInterrupt(0x41) == IOAPICModel.Effect())
    #expect(chip.resend() == IOAPICModel.Effect())
  }

  @Test mutating func `the EOI register does what the local APIC's EOI does`() {
    program(5, level)
    _ = chip.setLine(pin: 5, to: true)
    _ = chip.setLine(pin: 5, to: false)
    #expect(chip.write(0x41, at: IOAPIC.endOfInterruptOffset).messages.isEmpty)
    #expect(!chip.entries[5].remoteIRR)
    #expect(chip.setLine(pin: 5, to: true).messages == [level.message])
  }

  @Test mutating func `an EOI serves every pin with that vector, and edges have none`() {
    program(5, level)
    program(6, level)
    program(7, RedirectionEntry(vector: 0x41, destination: .physical(0)))
    for pin in 5...7 { _ = chip.setLine(pin: pin, to: true) }
    #expect(chip.endOfInterrupt(0x41).messages == [level.message, level.message])
  }

  @Test mutating func `a level on a masked pin counts at the unmasking only if it is still up`() {
    program(5, masked(level))
    #expect(chip.setLine(pin: 5, to: true).messages.isEmpty)
    _ = chip.setLine(pin: 5, to: false)
    #expect(program(5, level).messages.isEmpty)
    program(5, masked(level))
    _ = chip.setLine(pin: 5, to: true)
    #expect(program(5, level).messages == [level.message])
  }

  @Test mutating func `an EOI on a masked pin clears remote IRR and sends nothing before the unmasking`() {
    program(5, level)
    _ = chip.setLine(pin: 5, to: true)
    program(5, masked(level))
    #expect(chip.entries[5].remoteIRR)
    #expect(chip.endOfInterrupt(0x41).messages.isEmpty)
    #expect(!chip.entries[5].remoteIRR)
    #expect(program(5, level).messages == [level.message])
  }

  @Test mutating func `software can write neither delivery status nor remote IRR`() {
    var entry = level
    entry.remoteIRR = true
    entry.isPending = true
    program(5, entry)
    #expect(chip.entries[5] == level)
    _ = chip.setLine(pin: 5, to: true)
    program(5, level)
    #expect(chip.entries[5].remoteIRR)
    program(5, edge)
    #expect(!chip.entries[5].remoteIRR)
  }

  @Test
  mutating func `a vector that is rewritten in service waits for an EOI of the new one, as the kernel's chip does`() {
    var other = level
    other.vector = 0x42
    program(5, level)
    _ = chip.setLine(pin: 5, to: true)
    #expect(program(5, other).messages.isEmpty)
    #expect(chip.endOfInterrupt(level.vector) == IOAPICModel.Effect())
    #expect(chip.entries[5].remoteIRR)
    #expect(chip.endOfInterrupt(other.vector).messages == [other.message])
  }

  @Test mutating func `registers other than a redirection entry`() {
    #expect(write(0x1234_5678, to: .id) == IOAPICModel.Effect())
    #expect(read(.id) == 0x0200_0000)
    #expect(read(.arbitration) == 0x0200_0000)
    #expect(write(.max, to: .arbitration) == IOAPICModel.Effect())
    #expect(read(.arbitration) == 0x0200_0000)
    #expect(write(.max, to: .version) == IOAPICModel.Effect())
    #expect(read(.version) == 0x0017_0020)
  }

  @Test mutating func `pins, registers and offsets that do not exist are nothing`() {
    for pin in [-1, 24, .max] { #expect(chip.setLine(pin: pin, to: true) == IOAPICModel.Effect()) }
    for register in [0x03, 0x0f, 0x40, 0xff] as [UInt8] {
      #expect(write(.max, to: IOAPICRegister(rawValue: register)) == IOAPICModel.Effect())
      #expect(read(IOAPICRegister(rawValue: register)) == .max)
    }
    #expect(chip.write(.max, at: 0x20) == IOAPICModel.Effect())
    #expect(chip.read(at: 0x20) == 0)
    #expect(chip.read(at: IOAPIC.endOfInterruptOffset) == 0)
    #expect(chip.entries == IOAPICModel().entries)
  }
}

extension IOAPICModel.Effect {
  /// What is sent, without the pins.
  fileprivate var messages: [MSIMessage] { requests.map(\.message) }
}
