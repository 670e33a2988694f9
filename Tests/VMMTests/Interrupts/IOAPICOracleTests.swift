import APIC
import ReferenceModel
import TestImages
import Testing

@testable import VMM

/// The IOAPIC of the split irqchip against the reference model.
struct IOAPICOracleTests {
  /// Both begin with a local APIC that takes everything, so that every message is accepted.
  private func reference() -> ReferenceMachine {
    // Both leave out what a line's polarity bit says, as KVM's chip does.
    var configuration = ReferenceMachine.Configuration(vcpus: 1, deviations: Deviations.none.with(.polarityIgnored))
    configuration.ioapicVersion = 0x20
    var machine = ReferenceMachine(configuration)
    let base = APICBase(isBootstrapProcessor: true, mode: .x2APIC).rawValue
    for (register, value) in [(MSR.apicBase, base), (LocalAPICRegister.spurious.msr, 0x1ff)] {
      let isTaken = machine.writeMSR(0, register, value, byHost: false, at: Moment(0))
      #expect(isTaken)
    }
    machine.routes = RouteTable()
    for pin in 0..<IOAPIC.pinCount { machine.routes.add(.ioapic(pin: pin), to: UInt32(pin)) }
    return machine
  }

  /// What the reference's local APIC has been sent; then it has nothing any more.
  private func takeSent(_ reference: inout ReferenceMachine) -> VectorSet {
    var page = reference.localAPICState(0)
    let sent = page.interruptRequest
    page.interruptRequest = []
    let isTaken = reference.setLocalAPICState(0, page, at: Moment(0))
    #expect(isTaken)
    return sent
  }

  /// What a line's change answers, as the split chip says it.
  private func answer(_ effect: IOAPICModel.Effect, level: Bool) -> DeliveryAnswer {
    guard level else { return .delivered(1) }
    return effect.requests.isEmpty ? effect.isCoalesced ? .coalesced : .ignored : .delivered(1)
  }

  @Test(arguments: 0..<20)
  func `the split irqchip's IOAPIC does as the reference model does`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var split = IOAPICModel()
    var reference = reference()
    for number in 0..<2000 {
      let pin = Int.random(in: 0..<6, using: &random)
      let what: String
      let effect: IOAPICModel.Effect
      switch Int.random(in: 0..<6, using: &random) {
      case 0...2:
        let level = Bool.random(using: &random)
        what = "line \(pin) \(level)"
        effect = split.setLine(pin: pin, to: level)
        let expected = reference.setLine(UInt32(pin), to: level)
        #expect(answer(effect, level: level) == expected, "\(what), step \(number) of seed \(seed)")
      case 3:
        let vector = UInt32.random(in: 0x40..<0x43, using: &random)
        what = "EOI \(vector)"
        effect = split.write(vector, at: IOAPIC.endOfInterruptOffset)
        reference.writeIOAPIC(vector, at: IOAPIC.endOfInterruptOffset)
      default:
        // The ID, two that cannot be written and one that is not there; then the halves of the pins' entries.
        let isEntry = Int.random(in: 0..<8, using: &random) != 0
        let isHigh = Int.random(in: 0..<4, using: &random) == 0
        let others: [UInt32] = [0, 1, 2, 0x40]
        let register =
          isEntry
          ? UInt32(isHigh ? 0x11 : 0x10) + UInt32(2 * pin) : others[Int.random(in: others.indices, using: &random)]
        let vector = UInt32.random(in: 0x40..<0x43, using: &random)
        let low = vector | UInt32.random(in: 0..<16, using: &random) << 13
        // The entries lead to the local APIC that there is.
        let value = isEntry && isHigh ? 0 : isEntry ? low : UInt32.random(in: 0...UInt32.max, using: &random)
        what = "register \(register) \(value)"
        _ = split.write(register, at: IOAPIC.registerSelectOffset)
        reference.writeIOAPIC(register, at: IOAPIC.registerSelectOffset)
        effect = split.write(value, at: IOAPIC.windowOffset)
        reference.writeIOAPIC(value, at: IOAPIC.windowOffset)
      }
      let sent = VectorSet(effect.requests.map(\.message.vector))
      let expected = takeSent(&reference)
      #expect(sent == expected, "sent after \(what), step \(number) of seed \(seed)")
      #expect(split.read(at: IOAPIC.registerSelectOffset) == reference.ioapic.read(at: IOAPIC.registerSelectOffset))
      #expect(split.read(at: IOAPIC.windowOffset) == reference.ioapic.read(at: IOAPIC.windowOffset))
      for pin in 0..<IOAPIC.pinCount {
        #expect(split.entries[pin] == reference.ioapic[pin], "pin \(pin) after \(what), step \(number) of seed \(seed)")
        guard split.entries[pin] == reference.ioapic[pin] else { return }
      }
      #expect(split.levels == reference.ioapic.requests)
    }
  }
}
