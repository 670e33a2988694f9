import APIC
import KVM

extension Scenario {
  /// IRR and ISR by OCW3.
  static let picRegisters = Scenario(
    "lines.pic.registers", "OCW3 shows a waiting line in the PIC's IRR and a taken one in its ISR",
    exercises: ["pic_ioport_read", "pic_intack", "kvm_pic_clear_all"]
  ) { stage in
    try stage.programPIC(master: 0x40, slave: 0x48, lines: [3])
    try stage[vcpu: 0].disableInterrupts()
    try stage.stimulus { try stage.setLine(3, to: true) }
    try stage.check("IRR before", try stage.picRequests(.master), equals: 1 << 3)
    try stage.check("ISR before", try stage.picInService(.master), equals: 0)
    try stage[vcpu: 0].enableInterrupts()
    try stage.expect(1, of: 0x43, on: 0)
    try stage.check("IRR in service", try stage.picRequests(.master), equals: 0)
    try stage.check("ISR in service", try stage.picInService(.master), equals: 1 << 3)
    try stage.command(.master, .endOfInterrupt(line: 3))
    try stage.check("ISR after EOI", try stage.picInService(.master), equals: 0)
    try stage.check("the mask", try stage[vcpu: 0].readPort(PIC.Chip.master.dataPort), equals: 0xf3)
  }

  /// Fixed priorities.
  static let picPriority = Scenario(
    "lines.pic.priority", "A PIC line in service holds off the lines below it, not those above",
    exercises: ["pic_get_irq", "get_priority"]
  ) { stage in
    try stage.programPIC(master: 0x40, slave: 0x48, lines: [3, 5, 6])
    try stage.stimulus { try stage.setLine(5, to: true) }
    try stage.expect(1, of: 0x45, on: 0)
    try stage.setLine(6, to: true)
    try stage.expectDrained(0, of: 0x46, on: 0)
    try stage.setLine(3, to: true)
    try stage.expect(1, of: 0x43, on: 0)
    try stage.command(.master, .endOfInterrupt)
    try stage.expectDrained(0, of: 0x46, on: 0)
    try stage.command(.master, .endOfInterrupt)
    try stage.expect(1, of: 0x46, on: 0)
  }

  /// Priorities turned by OCW2.
  static let picRotation = Scenario(
    "lines.pic.rotation", "OCW2 makes a PIC line the lowest, and the lines behind it go first",
    exercises: ["pic_ioport_write", "get_priority"]
  ) { stage in
    try stage.programPIC(master: 0x40, slave: 0x48, lines: [3, 5])
    let setPriority: UInt8 = 0xc0
    try stage.stimulus { try stage.command(.master, PIC.OperationCommand(rawValue: setPriority | 3)) }
    try stage[vcpu: 0].disableInterrupts()
    try stage.setLine(3, to: true)
    try stage.setLine(5, to: true)
    try stage[vcpu: 0].enableInterrupts()
    try stage.expect(1, of: 0x45, on: 0)
    try stage.expectNone(of: 0x43, on: 0)
    try stage.command(.master, .endOfInterrupt)
    try stage.expect(1, of: 0x43, on: 0)
    let order = try stage.takenInOrder(2, of: 0x43, 0x45, on: 0).map(\.vector)
    try stage.check("the order", order, equals: [0x45, 0x43])
  }

  /// Automatic end of interrupt.
  static let picAutomaticEOI = Scenario(
    "lines.pic.automatic-eoi", "With automatic EOI a PIC line interrupts again without a command",
    exercises: ["pic_intack", "pic_ioport_write"]
  ) { stage in
    try stage.programPIC(master: 0x40, slave: 0x48, lines: [5], endsAutomatically: true)
    for round in 1...3 {
      try stage.stimulus { try stage.setLine(5, to: true) }
      try stage.setLine(5, to: false)
      try stage.expect(round, of: 0x45, on: 0)
      try stage.check("ISR", try stage.picInService(.master), equals: 0)
    }
  }

  /// The poll command.
  static let picPoll = Scenario(
    "lines.pic.poll", "The poll command acknowledges a PIC line without interrupting",
    exercises: ["pic_poll_read", "pic_ioport_read"]
  ) { stage in
    try stage.programPIC(master: 0x40, slave: 0x48, lines: [4])
    try stage.maskLINT0()
    try stage.stimulus { try stage.setLine(4, to: true) }
    try stage.command(.master, .poll)
    try stage.check("a poll", try stage[vcpu: 0].readPort(PIC.Chip.master.commandPort) & 7, equals: 4)
    try stage.check("requests afterwards", try stage.picRequests(.master), equals: 0)
    try stage.expectDrained(0, of: 0x44, on: 0)
  }
}
