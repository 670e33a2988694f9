import APIC
import KVM

extension Scenario {
  /// An edge-triggered pin.
  static let ioapicEdge = Scenario(
    "lines.ioapic.edge",
    "An edge-triggered IOAPIC pin interrupts when its line rises, not while it is high, not when it falls",
    exercises: ["ioapic_set_irq", "ioapic_service", "KVM_IRQ_LINE_STATUS"]
  ) { test in
    try test.setRedirection(pin: 20, RedirectionEntry(vector: 0x61, destination: test[vcpu: 0].destination))
    try test.stimulus {
      try test.check("a rising line answers", try test.setLine(20, to: true), equals: .delivered(1))
    }
    try test.expect(1, of: 0x61, on: 0)
    try test.check("a line that is high already answers", try test.setLine(20, to: true), equals: .coalesced)
    try test.setLine(20, to: false)
    try test.expect(1, of: 0x61, on: 0)
    try test.setLine(20, to: true)
    try test.expect(2, of: 0x61, on: 0)
  }

  /// Edges on a masked pin.
  static let ioapicMaskedEdge = Scenario(
    "lines.ioapic.masked-edge", "An edge on a masked IOAPIC pin is ignored, and lost when the pin is unmasked",
    exercises: ["ioapic_service", "ioapic_write_indirect", "KVM_IRQ_LINE_STATUS"]
  ) { test in
    var entry = RedirectionEntry(
      vector: 0x62, destination: test[vcpu: 0].destination, isMasked: true)
    try test.setRedirection(pin: 21, entry)
    try test.check("an edge on a masked pin answers", try test.setLine(21, to: true), equals: .ignored)
    entry.isMasked = false
    try test.setRedirection(pin: 21, entry)
    try test.expectNone(of: 0x62, on: 0)
    try test.setLine(21, to: false)
    try test.stimulus { try test.setLine(21, to: true) }
    try test.expect(1, of: 0x62, on: 0)
  }

  /// The polarity bit.
  static let ioapicPolarity = Scenario(
    "lines.ioapic.polarity", "KVM ignores the polarity of an IOAPIC pin: high is asserted",
    exercises: ["ioapic_set_irq", "KVM_CAP_IOAPIC_POLARITY_IGNORED"], needs: [.capability(.ioapicPolarityIgnored)]
  ) { test in
    try test.setRedirection(
      pin: 20, RedirectionEntry(vector: 0x63, destination: test[vcpu: 0].destination, polarity: .activeLow))
    try test.setLine(20, to: false)
    try test.expectNone(of: 0x63, on: 0)
    try test.stimulus { try test.setLine(20, to: true) }
    try test.expect(1, of: 0x63, on: 0)
    try test.setLine(20, to: false)
    try test.expect(1, of: 0x63, on: 0)
  }
}
