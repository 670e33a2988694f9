import APIC
import KVM

extension Scenario {
  /// Physical destination mode.
  static let ioapicPhysical = Scenario(
    "lines.ioapic.physical", "A redirection entry with a physical destination interrupts that vCPU alone", vcpus: 2,
    exercises: ["ioapic_service", "kvm_irq_delivery_to_apic", "kvm_apic_match_physical_addr"]
  ) { test in
    try test.setRedirection(pin: 20, RedirectionEntry(vector: 0x71, destination: test[vcpu: 1].destination))
    try test.stimulus { try test.setLine(20, to: true) }
    try test.expect(1, of: 0x71, on: 1)
    try test.expectNone(of: 0x71, on: 0)
  }

  /// Logical destination mode.
  static let ioapicLogical = Scenario(
    "lines.ioapic.logical", "A redirection entry with a logical destination interrupts every vCPU that matches",
    vcpus: 3,
    exercises: ["ioapic_service", "kvm_apic_match_logical_addr", "SDM 3A 12.6.2.2"]
  ) { test in
    try test.setFlatLogicalIDs()
    try test.setRedirection(pin: 20, RedirectionEntry(vector: 0x72, destination: .logical(0b101)))
    try test.stimulus { try test.setLine(20, to: true) }
    try test.expect(1, of: 0x72, on: 0)
    try test.expect(1, of: 0x72, on: 2)
    try test.expectNone(of: 0x72, on: 1)
  }

  /// Lowest priority among two.
  static let ioapicLowestPriority = Scenario(
    "lines.ioapic.lowest-priority", "A redirection entry with lowest-priority delivery interrupts one of its vCPUs",
    vcpus: 2, exercises: ["ioapic_service", "kvm_apic_compare_prio", "kvm_vector_to_index", "SDM 3A 12.6.2.4"]
  ) { test in
    try test.setFlatLogicalIDs()
    try test.setRedirection(
      pin: 20, RedirectionEntry(vector: 0x73, destination: .logical(0b11), deliveryMode: .lowestPriority))
    try test.stimulus {
      for _ in 0..<4 {
        try test.check("a rising line answers", try test.setLine(20, to: true), equals: .delivered(1))
        try test.setLine(20, to: false)
        for vcpu in 0..<2 { try test.fence(vcpu) }
      }
    }
    try test.check("interrupts in all", test.taken(0x73, on: 0) + test.taken(0x73, on: 1), equals: 4)
  }

  /// Delivery mode NMI.
  static let ioapicNMI = Scenario(
    "lines.ioapic.nmi", "A redirection entry with delivery mode NMI interrupts a vCPU that holds interrupts off",
    vcpus: 2,
    exercises: ["ioapic_service", "kvm_inject_nmi", "SDM 3A 12.5.1"]
  ) { test in
    try test[vcpu: 1].disableInterrupts()
    try test.setRedirection(
      pin: 20, RedirectionEntry(vector: 0x74, destination: test[vcpu: 1].destination, deliveryMode: .nmi))
    try test.stimulus { try test.setLine(20, to: true) }
    try test.expect(1, of: 2, on: 1, unfenced: "its interrupts are off")
    try test[vcpu: 1].enableInterrupts()
    try test.expectNone(of: 0x74, on: 1)
  }

  /// Delivery mode ExtINT, for which an IOAPIC would have to ask a PIC.
  static let ioapicExternal = Scenario(
    "lines.ioapic.external", "KVM delivers nothing for a redirection entry with delivery mode ExtINT",
    exercises: ["ioapic_service", "__apic_accept_irq"]
  ) { test in
    var entry = RedirectionEntry(vector: 0x75, destination: test[vcpu: 0].destination, deliveryMode: .external)
    try test.setRedirection(pin: 20, entry)
    try test.check("a rising line does not reach a vCPU", try test.setLine(20, to: true) != .delivered(1))
    try test.setLine(20, to: false)
    try test.expectNone(of: 0x75, on: 0)
    entry.deliveryMode = .fixed
    try test.stimulus { try test.setRedirection(pin: 20, entry) }
    try test.setLine(20, to: true)
    try test.expect(1, of: 0x75, on: 0)
  }
}

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
