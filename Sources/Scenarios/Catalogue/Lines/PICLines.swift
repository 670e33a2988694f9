import APIC
import KVM
import VMM

extension Scenario {
  /// An edge-triggered line of the master.
  static let picEdge = Scenario(
    "lines.pic.edge", "A rising edge at the PIC interrupts once, through LINT0, however long the line is high",
    exercises: ["kvm_pic_set_irq", "kvm_pic_read_irq", "kvm_apic_accept_pic_intr", "8259A data sheet"]
  ) { test in
    try test.programPIC(master: 0x40, slave: 0x48, lines: [5])
    try test.stimulus {
      try test.check("a rising line answers", try test.setLine(5, to: true), equals: .delivered(1))
    }
    try test.expect(1, of: 0x45, on: 0)
    try test.command(.master, .endOfInterrupt)
    try test.setLine(5, to: true)
    try test.setLine(5, to: false)
    try test.expect(1, of: 0x45, on: 0)
    try test.setLine(5, to: true)
    try test.expect(2, of: 0x45, on: 0)
  }

  /// A level-triggered line of the master.
  static let picLevel = Scenario(
    "lines.pic.level", "A line that the ELCR makes level-triggered interrupts again after its EOI while it is high",
    exercises: ["elcr_ioport_write", "pic_set_irq1", "pic_intack"]
  ) { test in
    try test.programPIC(master: 0x40, slave: 0x48, lines: [5])
    try test.setPICLevelTriggered([5])
    try test.stimulus { try test.setLine(5, to: true) }
    try test.expect(1, of: 0x45, on: 0)
    try test.check("the line still requests", try test.picRequests(.master), equals: 1 << 5)
    try test.command(.master, .endOfInterrupt)
    try test.expect(2, of: 0x45, on: 0)
    try test.setLine(5, to: false)
    try test.command(.master, .endOfInterrupt)
    try test.expect(2, of: 0x45, on: 0)
    try test.check("nothing requests any more", try test.picRequests(.master), equals: 0)
  }

  /// The mask of OCW1.
  static let picMasked = Scenario(
    "lines.pic.masked", "A line that is masked at the PIC is ignored, and its edge interrupts once it is unmasked",
    exercises: ["pic_set_irq1", "pic_ioport_write", "KVM_IRQ_LINE_STATUS"]
  ) { test in
    try test.programPIC(master: 0x40, slave: 0x48, lines: [])
    try test.check("a masked line answers", try test.setLine(5, to: true), equals: .ignored)
    try test.check("the line requests", try test.picRequests(.master), equals: 1 << 5)
    try test.expectNone(of: 0x45, on: 0)
    try test.stimulus { try test.unmaskPIC([5]) }
    try test.expect(1, of: 0x45, on: 0)
  }

  /// A line of the slave.
  static let picCascaded = Scenario(
    "lines.pic.cascaded", "A line of the slave PIC interrupts through line 2 of the master, with the slave's vector",
    exercises: ["pic_update_irq", "kvm_pic_read_irq"]
  ) { test in
    try test.programPIC(master: 0x40, slave: 0x48, lines: [11])
    try test.stimulus { try test.setLine(11, to: true) }
    try test.expect(1, of: 0x4b, on: 0)
    try test.check("in service at the master", try test.picInService(.master), equals: 1 << 2)
    try test.check("in service at the slave", try test.picInService(.slave), equals: 1 << 3)
    try test.command(.slave, .endOfInterrupt)
    try test.command(.master, .endOfInterrupt)
    try test.check("in service at the master", try test.picInService(.master), equals: 0)
    try test.check("in service at the slave", try test.picInService(.slave), equals: 0)
    try test.setLine(11, to: false)
    try test.setLine(11, to: true)
    try test.expect(2, of: 0x4b, on: 0)
  }

  /// A request that is gone when the processor asks for it.
  static let picSpurious = Scenario(
    "lines.pic.spurious",
    "A slave line that falls before it is acknowledged gives the spurious IRQ 15, which is not in service",
    exercises: ["kvm_pic_read_irq", "pic_update_irq", "8259A data sheet, 'Edge and level triggered modes'"]
  ) { test in
    try test.programPIC(master: 0x40, slave: 0x48, lines: [11])
    try test.setPICLevelTriggered([11])
    try test[vcpu: 0].disableInterrupts()
    try test.stimulus { try test.setLine(11, to: true) }
    try test.setLine(11, to: false)
    try test[vcpu: 0].enableInterrupts()
    try test.expect(1, of: 0x4f, on: 0)
    try test.expectNone(of: 0x4b, on: 0)
    try test.check("in service at the slave", try test.picInService(.slave), equals: 0)
    try test.check("in service at the master", try test.picInService(.master), equals: 1 << 2)
  }

  /// LINT0 masked.
  static let picLINT0 = Scenario(
    "lines.pic.lint0", "The PIC interrupts only while LINT0 of the local APIC is unmasked",
    exercises: ["kvm_apic_accept_pic_intr", "kvm_cpu_has_extint", "SDM 3A 12.5.1"]
  ) { test in
    try test.programPIC(master: 0x40, slave: 0x48, lines: [4])
    try test.maskLINT0()
    try test.setLine(4, to: true)
    try test.expectNone(of: 0x44, on: 0)
    try test.stimulus {
      try test[vcpu: 0].write(.lvtLINT0, LVTEntry.pin(0, deliveryMode: .external).rawValue)
    }
    // KVM looks at the PIC again when it has an event to look for (KVM_REQ_EVENT). An interrupt that the hardware delivers
    // is none; registers that were set are (kvm_arch_vcpu_ioctl_set_regs).
    try test.machine.withVCPUStopped(0) { vcpu throws(KVMError) in try vcpu.setRegisters(try vcpu.registers()) }
    try test.expect(1, of: 0x44, on: 0)
  }
}

extension Scenario {
  /// IRR and ISR by OCW3.
  static let picRegisters = Scenario(
    "lines.pic.registers", "OCW3 shows a waiting line in the PIC's IRR and a taken one in its ISR",
    exercises: ["pic_ioport_read", "pic_intack", "kvm_pic_clear_all"]
  ) { test in
    try test.programPIC(master: 0x40, slave: 0x48, lines: [3])
    try test[vcpu: 0].disableInterrupts()
    try test.stimulus { try test.setLine(3, to: true) }
    try test.check("IRR before", try test.picRequests(.master), equals: 1 << 3)
    try test.check("ISR before", try test.picInService(.master), equals: 0)
    try test[vcpu: 0].enableInterrupts()
    try test.expect(1, of: 0x43, on: 0)
    try test.check("IRR in service", try test.picRequests(.master), equals: 0)
    try test.check("ISR in service", try test.picInService(.master), equals: 1 << 3)
    try test.command(.master, .endOfInterrupt(line: 3))
    try test.check("ISR after EOI", try test.picInService(.master), equals: 0)
    try test.check("the mask", try test[vcpu: 0].readPort(PIC.Chip.master.dataPort), equals: 0xf3)
  }

  /// Fixed priorities.
  static let picPriority = Scenario(
    "lines.pic.priority", "A PIC line in service holds off the lines below it, not those above",
    exercises: ["pic_get_irq", "get_priority"]
  ) { test in
    try test.programPIC(master: 0x40, slave: 0x48, lines: [3, 5, 6])
    try test.stimulus { try test.setLine(5, to: true) }
    try test.expect(1, of: 0x45, on: 0)
    try test.setLine(6, to: true)
    try test.expectNone(of: 0x46, on: 0)
    try test.setLine(3, to: true)
    try test.expect(1, of: 0x43, on: 0)
    try test.command(.master, .endOfInterrupt)
    try test.expectNone(of: 0x46, on: 0)
    try test.command(.master, .endOfInterrupt)
    try test.expect(1, of: 0x46, on: 0)
  }

  /// Priorities turned by OCW2.
  static let picRotation = Scenario(
    "lines.pic.rotation", "OCW2 makes a PIC line the lowest, and the lines behind it go first",
    exercises: ["pic_ioport_write", "get_priority"]
  ) { test in
    try test.programPIC(master: 0x40, slave: 0x48, lines: [3, 5])
    let setPriority: UInt8 = 0xc0
    try test.stimulus { try test.command(.master, PIC.OperationCommand(rawValue: setPriority | 3)) }
    try test[vcpu: 0].disableInterrupts()
    try test.setLine(3, to: true)
    try test.setLine(5, to: true)
    try test[vcpu: 0].enableInterrupts()
    try test.expect(1, of: 0x45, on: 0)
    try test.expectNone(of: 0x43, on: 0)
    try test.command(.master, .endOfInterrupt)
    try test.expect(1, of: 0x43, on: 0)
    let order = try test.takenInOrder(2, of: 0x43, 0x45, on: 0).map(\.vector)
    try test.check("the order", order, equals: [0x45, 0x43])
  }

  /// Automatic end of interrupt.
  static let picAutomaticEOI = Scenario(
    "lines.pic.automatic-eoi", "With automatic EOI a PIC line interrupts again without a command",
    exercises: ["pic_intack", "pic_ioport_write"]
  ) { test in
    try test.programPIC(master: 0x40, slave: 0x48, lines: [5], endsAutomatically: true)
    for round in 1...3 {
      try test.stimulus { try test.setLine(5, to: true) }
      try test.setLine(5, to: false)
      try test.expect(round, of: 0x45, on: 0)
      try test.check("ISR", try test.picInService(.master), equals: 0)
    }
  }

  /// The poll command.
  static let picPoll = Scenario(
    "lines.pic.poll", "The poll command acknowledges a PIC line without interrupting",
    exercises: ["pic_poll_read", "pic_ioport_read"]
  ) { test in
    try test.programPIC(master: 0x40, slave: 0x48, lines: [4])
    try test.maskLINT0()
    try test.stimulus { try test.setLine(4, to: true) }
    try test.command(.master, .poll)
    try test.check("a poll", try test[vcpu: 0].readPort(PIC.Chip.master.commandPort) & 7, equals: 4)
    try test.check("requests afterwards", try test.picRequests(.master), equals: 0)
    try test.expectNone(of: 0x44, on: 0)
  }
}
