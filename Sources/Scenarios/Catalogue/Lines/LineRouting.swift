import APIC
import KVM

extension Scenario {
  /// GSIs below 16.
  static let routingLow = Scenario(
    "lines.routing.low", "By default a GSI below 16 reaches both a PIC and the IOAPIC",
    exercises: ["kvm_setup_default_ioapic_and_pic_routing", "kvm_set_irq", "kvm_set_pic_irq", "kvm_set_ioapic_irq"]
  ) { stage in
    try stage.programPIC(master: 0x40, slave: 0x48, lines: [5, 12])
    try stage.setRedirection(pin: 5, RedirectionEntry(vector: 0x65, destination: stage[vcpu: 0].destination))
    try stage.setRedirection(pin: 12, RedirectionEntry(vector: 0x6c, destination: stage[vcpu: 0].destination))
    try stage.stimulus {
      try stage.check("a rising line answers", try stage.setLine(5, to: true), equals: .delivered(2))
      try stage.expect(1, of: 0x45, on: 0)
      try stage.command(.master, .endOfInterrupt)
      try stage.check("a rising line answers", try stage.setLine(12, to: true), equals: .delivered(2))
    }
    try stage.expect(1, of: 0x45, on: 0)
    try stage.expect(1, of: 0x65, on: 0)
    try stage.expect(1, of: 0x4c, on: 0)
    try stage.expect(1, of: 0x6c, on: 0)
  }

  /// GSIs from 16 to 23.
  static let routingHigh = Scenario(
    "lines.routing.high", "By default GSIs 16 to 23 reach the IOAPIC alone, and those above nothing",
    exercises: ["kvm_setup_default_ioapic_and_pic_routing", "kvm_set_irq"]
  ) { stage in
    try stage.programPIC(master: 0x40, slave: 0x48, lines: [0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15])
    for pin in 16..<24 {
      try stage.setRedirection(
        pin: pin, RedirectionEntry(vector: Vector(rawValue: UInt8(0x60 + pin)), destination: stage[vcpu: 0].destination)
      )
    }
    try stage.stimulus {
      for gsi in UInt32(16)..<24 {
        try stage.check("GSI \(gsi) answers", try stage.setLine(gsi, to: true), equals: .delivered(1))
      }
    }
    for pin in 16..<24 { try stage.expect(1, of: Vector(rawValue: UInt8(0x60 + pin)), on: 0) }
    for chip in [PIC.Chip.master, .slave] {
      try stage.check("requests at the \(chip)", try stage.picRequests(chip), equals: 0)
      try stage.check("in service at the \(chip)", try stage.picInService(chip), equals: 0)
    }
    try stage.check("GSI 24 answers", try stage.setLine(24, to: true), equals: .ignored)
  }

  /// A routing table of the owner's own.
  static let routingCustom = Scenario(
    "lines.routing.custom", "A routing table takes a GSI to another pin, and one that it leaves out nowhere",
    exercises: ["kvm_set_irq_routing", "setup_routing_entry", "KVM_SET_GSI_ROUTING"]
  ) { stage in
    try stage.setRedirection(pin: 18, RedirectionEntry(vector: 0x76, destination: stage[vcpu: 0].destination))
    try stage.setRedirection(pin: 19, RedirectionEntry(vector: 0x77, destination: stage[vcpu: 0].destination))
    try stage.check("an unrouted GSI answers", try stage.setLine(100, to: true), equals: .ignored)
    try stage.stimulus { try stage.vm.setGSIRouting([.irqChip(gsi: 100, chip: .ioapic, pin: 18)]) }
    try stage.check("a routed GSI answers", try stage.setLine(100, to: true), equals: .delivered(1))
    try stage.expect(1, of: 0x76, on: 0)
    try stage.check("a GSI that was left out answers", try stage.setLine(19, to: true), equals: .ignored)
    try stage.expectNone(of: 0x77, on: 0)
    try stage.vm.setGSIRouting(GSIRoute.defaults)
    try stage.check("the GSI answers again", try stage.setLine(19, to: true), equals: .delivered(1))
    try stage.expect(1, of: 0x77, on: 0)
  }

  /// Two GSIs on one pin.
  static let routingShared = Scenario(
    "lines.routing.shared", "A level-triggered pin that two GSIs share stays high until both are low",
    exercises: ["kvm_irq_line_state", "__kvm_irq_line_state", "KVM_SET_GSI_ROUTING"]
  ) { stage in
    let vcpu = stage[vcpu: 0]
    try stage.setRedirection(
      pin: 18, RedirectionEntry(vector: 0x78, destination: vcpu.destination, triggerMode: .level))
    try stage.vm.setGSIRouting(
      [.irqChip(gsi: 100, chip: .ioapic, pin: 18), .irqChip(gsi: 101, chip: .ioapic, pin: 18)])
    try stage.stimulus {
      try stage.setLine(100, to: true)
      try stage.setLine(101, to: true)
    }
    try stage.expectAtLeast(1, of: 0x78, on: 0)
    try stage.setLine(100, to: false)
    try stage.drain(0)
    try stage.setLine(101, to: false)
    try stage.drain(0)
    let served = stage.taken(0x78, on: 0)
    try stage.expectDrained(served, of: 0x78, on: 0)
  }

  /// All answers of KVM_IRQ_LINE_STATUS.
  static let lineAnswers = Scenario(
    "lines.answers", "KVM_IRQ_LINE_STATUS tells a delivered interrupt from a coalesced and an ignored one",
    exercises: ["kvm_vm_ioctl_irq_line", "kvm_set_irq", "ioapic_set_irq", "KVM_IRQ_LINE_STATUS"]
  ) { stage in
    let vcpu = stage[vcpu: 0]
    try stage.check("a masked pin answers", try stage.setLine(20, to: true), equals: .ignored)
    try stage.check("a falling line answers", try stage.setLine(20, to: false), equals: .delivered(1))
    try stage.setRedirection(pin: 20, RedirectionEntry(vector: 0x79, destination: vcpu.destination))
    try stage.stimulus {
      try stage.check("a rising line answers", try stage.setLine(20, to: true), equals: .delivered(1))
    }
    try stage.check("a second edge answers", try stage.setLine(20, to: true), equals: .coalesced)
    try stage.setRedirection(
      pin: 21, RedirectionEntry(vector: 0x7a, destination: vcpu.destination, triggerMode: .level))
    try vcpu.disableInterrupts()
    try stage.check("a high line answers", try stage.setLine(21, to: true), equals: .delivered(1))
    try stage.check("a line that waits for its EOI answers", try stage.setLine(21, to: true), equals: .ignored)
    try stage.setLine(21, to: false)
    try vcpu.enableInterrupts()
    try stage.expect(1, of: 0x7a, on: 0)
    try stage.expect(1, of: 0x79, on: 0)
  }
}
