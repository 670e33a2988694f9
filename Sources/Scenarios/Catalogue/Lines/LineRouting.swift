import APIC
import KVM

extension Scenario {
  /// GSIs below 16.
  static let routingLow = Scenario(
    "lines.routing.low", "By default a GSI below 16 reaches both a PIC and the IOAPIC",
    exercises: ["kvm_setup_default_ioapic_and_pic_routing", "kvm_set_irq", "kvm_set_pic_irq", "kvm_set_ioapic_irq"]
  ) { test in
    try test.programPIC(master: 0x40, slave: 0x48, lines: [5, 12])
    try test.setRedirection(pin: 5, RedirectionEntry(vector: 0x65, destination: test[vcpu: 0].destination))
    try test.setRedirection(pin: 12, RedirectionEntry(vector: 0x6c, destination: test[vcpu: 0].destination))
    try test.stimulus {
      try test.check("a rising line answers", try test.setLine(5, to: true), equals: .delivered(2))
      try test.expect(1, of: 0x45, on: 0)
      try test.command(.master, .endOfInterrupt)
      try test.check("a rising line answers", try test.setLine(12, to: true), equals: .delivered(2))
    }
    try test.expect(1, of: 0x45, on: 0)
    try test.expect(1, of: 0x65, on: 0)
    try test.expect(1, of: 0x4c, on: 0)
    try test.expect(1, of: 0x6c, on: 0)
  }

  /// GSIs from 16 to 23.
  static let routingHigh = Scenario(
    "lines.routing.high", "By default GSIs 16 to 23 reach the IOAPIC alone, and those above nothing",
    exercises: ["kvm_setup_default_ioapic_and_pic_routing", "kvm_set_irq"]
  ) { test in
    try test.programPIC(master: 0x40, slave: 0x48, lines: [0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15])
    for pin in 16..<24 {
      try test.setRedirection(
        pin: pin, RedirectionEntry(vector: Vector(rawValue: UInt8(0x60 + pin)), destination: test[vcpu: 0].destination)
      )
    }
    try test.stimulus {
      for gsi in UInt32(16)..<24 {
        try test.check("GSI \(gsi) answers", try test.setLine(gsi, to: true), equals: .delivered(1))
      }
    }
    for pin in 16..<24 { try test.expect(1, of: Vector(rawValue: UInt8(0x60 + pin)), on: 0) }
    for chip in [PIC.Chip.master, .slave] {
      try test.check("requests at the \(chip)", try test.picRequests(chip), equals: 0)
      try test.check("in service at the \(chip)", try test.picInService(chip), equals: 0)
    }
    try test.check("GSI 24 answers", try test.setLine(24, to: true), equals: .ignored)
  }

  /// A routing table of the owner's own.
  static let routingCustom = Scenario(
    "lines.routing.custom", "A routing table takes a GSI to another pin, and one that it leaves out nowhere",
    exercises: ["kvm_set_irq_routing", "setup_routing_entry", "KVM_SET_GSI_ROUTING"]
  ) { test in
    try test.setRedirection(pin: 18, RedirectionEntry(vector: 0x76, destination: test[vcpu: 0].destination))
    try test.setRedirection(pin: 19, RedirectionEntry(vector: 0x77, destination: test[vcpu: 0].destination))
    try test.check("an unrouted GSI answers", try test.setLine(100, to: true), equals: .ignored)
    try test.stimulus { try test.vm.setGSIRouting([.irqChip(gsi: 100, chip: .ioapic, pin: 18)]) }
    try test.check("a routed GSI answers", try test.setLine(100, to: true), equals: .delivered(1))
    try test.expect(1, of: 0x76, on: 0)
    try test.check("a GSI that was left out answers", try test.setLine(19, to: true), equals: .ignored)
    try test.expectNone(of: 0x77, on: 0)
    try test.vm.setGSIRouting(GSIRoute.defaults)
    try test.check("the GSI answers again", try test.setLine(19, to: true), equals: .delivered(1))
    try test.expect(1, of: 0x77, on: 0)
  }

  /// Two GSIs on one pin.
  static let routingShared = Scenario(
    "lines.routing.shared", "A level-triggered pin that two GSIs share stays high until both are low",
    exercises: ["kvm_irq_line_state", "__kvm_irq_line_state", "KVM_SET_GSI_ROUTING"]
  ) { test in
    let vcpu = test[vcpu: 0]
    try test.setRedirection(
      pin: 18, RedirectionEntry(vector: 0x78, destination: vcpu.destination, triggerMode: .level))
    try test.vm.setGSIRouting(
      [.irqChip(gsi: 100, chip: .ioapic, pin: 18), .irqChip(gsi: 101, chip: .ioapic, pin: 18)])
    try test.stimulus {
      try test.setLine(100, to: true)
      try test.setLine(101, to: true)
    }
    try test.expectAtLeast(1, of: 0x78, on: 0)
    try test.setLine(100, to: false)
    try test.fence(0)
    try test.setLine(101, to: false)
    try test.fence(0)
    let served = test.taken(0x78, on: 0)
    try test.expect(served, of: 0x78, on: 0)
  }

  /// All answers of KVM_IRQ_LINE_STATUS.
  static let lineAnswers = Scenario(
    "lines.answers", "KVM_IRQ_LINE_STATUS tells a delivered interrupt from a coalesced and an ignored one",
    exercises: ["kvm_vm_ioctl_irq_line", "kvm_set_irq", "ioapic_set_irq", "KVM_IRQ_LINE_STATUS"]
  ) { test in
    let vcpu = test[vcpu: 0]
    try test.check("a masked pin answers", try test.setLine(20, to: true), equals: .ignored)
    try test.check("a falling line answers", try test.setLine(20, to: false), equals: .delivered(1))
    try test.setRedirection(pin: 20, RedirectionEntry(vector: 0x79, destination: vcpu.destination))
    try test.stimulus {
      try test.check("a rising line answers", try test.setLine(20, to: true), equals: .delivered(1))
    }
    try test.check("a second edge answers", try test.setLine(20, to: true), equals: .coalesced)
    try test.setRedirection(
      pin: 21, RedirectionEntry(vector: 0x7a, destination: vcpu.destination, triggerMode: .level))
    try vcpu.disableInterrupts()
    try test.check("a high line answers", try test.setLine(21, to: true), equals: .delivered(1))
    try test.check("a line that waits for its EOI answers", try test.setLine(21, to: true), equals: .ignored)
    try test.setLine(21, to: false)
    try vcpu.enableInterrupts()
    try test.expect(1, of: 0x7a, on: 0)
    try test.expect(1, of: 0x79, on: 0)
  }
}

extension Scenario {
  /// A level-triggered interrupt by eventfd.
  static let resample = Scenario(
    "lines.resample", "A resampling irqfd raises a level-triggered line, and the EOI lowers it and signals its owner",
    exercises: ["irqfd_resampler_ack", "kvm_notify_acked_irq", "KVM_IRQFD", "KVM_CAP_IRQFD_RESAMPLE"],
    needs: [.capability(.irqFDResample)]
  ) { test in
    let (trigger, resample) = (try EventDescriptor(), try EventDescriptor())
    try test.setRedirection(
      pin: 20, RedirectionEntry(vector: 0x7b, destination: test[vcpu: 0].destination, triggerMode: .level))
    try test.vm.assignIRQFD(trigger, gsi: 20, resample: resample)
    for round in 1...3 {
      try test.stimulus { try trigger.write() }
      try test.expect(round, of: 0x7b, on: 0)
      var signals: UInt64 = 0
      try test.until("the resample event is signalled in round \(round)") {
        signals = try resample.read()
        return signals > 0
      }
      try test.check("signals in round \(round)", signals, equals: 1)
      try test.check("remote IRR is clear", try !test.redirection(pin: 20).remoteIRR)
    }
    try test.vm.deassignIRQFD(trigger, gsi: 20)
    try trigger.write()
    try test.expect(3, of: 0x7b, on: 0)
  }

  /// Two devices on one line.
  static let resampleShared = Scenario(
    "lines.resample-shared", "All owners of resampling irqfds on one GSI hear of its EOI",
    exercises: ["irqfd_resampler_ack", "irqfd_resampler_notify", "KVM_IRQFD"], needs: [.capability(.irqFDResample)]
  ) { test in
    let triggers = [try EventDescriptor(), try EventDescriptor()]
    let resamples = [try EventDescriptor(), try EventDescriptor()]
    try test.setRedirection(
      pin: 20, RedirectionEntry(vector: 0x7c, destination: test[vcpu: 0].destination, triggerMode: .level))
    for (trigger, resample) in zip(triggers, resamples) {
      try test.vm.assignIRQFD(trigger, gsi: 20, resample: resample)
    }
    try test.stimulus { try triggers[1].write() }
    try test.expect(1, of: 0x7c, on: 0)
    for (index, resample) in resamples.enumerated() {
      try test.until("owner \(index) is signalled") { try resample.read() > 0 }
    }
  }
}
