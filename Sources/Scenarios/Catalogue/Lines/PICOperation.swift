import APIC
import KVM

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
