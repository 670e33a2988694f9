import APIC
import ReferenceModel
import Testing

/// The rules of the 8259A, and what KVM makes of them.
struct PICRuleTests {
  private func pair(_ deviations: Deviations = .none, icw1: UInt8 = 0x11, icw4: UInt8 = 0x01) -> ReferencePIC {
    var pic = ReferencePIC(deviations: deviations)
    for (chip, base) in [(PIC.Chip.master, UInt8(0x20)), (.slave, 0x28)] {
      pic.write(icw1, to: chip.commandPort)
      pic.write(base, to: chip.dataPort)
      pic.write(chip.cascade, to: chip.dataPort)
      pic.write(icw4, to: chip.dataPort)
    }
    return pic
  }

  private func poll(_ pic: inout ReferencePIC, _ chip: PIC.Chip = .master) -> UInt8 {
    pic.write(PIC.OperationCommand.poll.rawValue, to: chip.commandPort)
    return pic.read(chip.dataPort)
  }

  @Test func `ICW2 to ICW4 are taken one after the other, and then the data port is the mask`() {
    let pic = pair(icw4: 0x13)
    #expect(pic.master.vectorBase == 0x20)
    #expect(pic.slave.vectorBase == 0x28)
    #expect(pic.master.automaticEOI && pic.master.specialFullyNested)
    #expect(pic.master.initialization == 0)
    var short = pair(icw1: 0x10)
    // Without ICW4 the fourth word is a mask.
    #expect(short.master.imr == 0x01)
    short.write(0x12, to: PIC.Chip.master.commandPort)
    short.write(0x40, to: PIC.Chip.master.dataPort)
    #expect(short.master.initialization == 0)
  }

  @Test func `KVM has an ICW3 follow even where the chip is said to be alone`() {
    var pic = pair(.kvm)
    pic.write(0x12, to: PIC.Chip.master.commandPort)
    pic.write(0x40, to: PIC.Chip.master.dataPort)
    #expect(pic.master.initialization == 2)
  }

  @Test func `an interrupt ends by itself with automatic EOI`() {
    var pic = pair(icw4: 0x03)
    same(pic.setLine(3, source: 0, to: true), .delivered(1))
    same(pic.acknowledge(), 0x23)
    #expect(pic.master.isr == 0)
  }

  @Test func `a poll takes the request into service, and says which it is`() {
    var pic = pair()
    same(poll(&pic), 0)
    same(pic.setLine(3, source: 0, to: true), .delivered(1))
    same(poll(&pic), 0x83)
    #expect(pic.master.isr == 0x08)
    #expect(!pic.output)
    #expect(!pic.polls(at: PIC.Chip.master.commandPort))
  }

  @Test func `KVM's poll ends the service at once, also that of the slave's line at the master`() {
    var pic = pair(.kvm)
    same(poll(&pic), 0x07)
    same(pic.setLine(9, source: 0, to: true), .delivered(1))
    #expect(pic.output)
    same(poll(&pic, .slave), 0x81)
    #expect(pic.slave.isr == 0 && pic.master.irr == 0)
    #expect(!pic.output)
    var old = pair(.kvm.with(.picPollWithoutBit7))
    same(old.setLine(4, source: 0, to: true), .delivered(1))
    same(poll(&old), 0x04)
  }

  @Test func `a line in service that is masked holds nothing back in special mask mode, and KVM has none`() {
    for (deviations, isThere) in [(Deviations.none, true), (.kvm, false)] {
      var pic = pair(deviations)
      same(pic.setLine(3, source: 0, to: true), .delivered(1))
      same(pic.acknowledge(), 0x23)
      same(pic.setLine(5, source: 0, to: true), .delivered(1))
      pic.write(PIC.OperationCommand.setSpecialMask.rawValue, to: PIC.Chip.master.commandPort)
      #expect(!pic.output)
      pic.write(0x08, to: PIC.Chip.master.dataPort)
      #expect(pic.output == isThere)
    }
  }

  @Test func `ICW1 lets go of what was requested, and KVM leaves what is in service, and the output`() {
    var pic = pair(.kvm)
    for line in [1, 3] { same(pic.setLine(line, source: 0, to: true), .delivered(1)) }
    same(pic.acknowledge(), 0x21)
    pic.write(PIC.OperationCommand.endOfInterrupt(line: 1).rawValue, to: PIC.Chip.master.commandPort)
    #expect(pic.output)
    pic.write(0x11, to: PIC.Chip.master.commandPort)
    #expect(pic.output)
    #expect(pic.master.irr == 0)
    // Nothing is requested any more: line 7's vector.
    same(pic.acknowledge(), 0x27)
    #expect(!pic.output)
    var manual = pair()
    same(manual.setLine(1, source: 0, to: true), .delivered(1))
    same(manual.acknowledge(), 0x21)
    manual.write(0x11, to: PIC.Chip.master.commandPort)
    #expect(manual.master.isr == 0 && !manual.output)
  }
}
