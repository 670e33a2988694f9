import APIC
import Testing

@Suite struct PICTests {
  @Test func `a PC initializes its pair of chips with these bytes`() {
    #expect(PIC.InitializationCommand1().rawValue == 0x11)
    #expect(PIC.Chip.master.cascade == 0x04)
    #expect(PIC.Chip.slave.cascade == 0x02)
    #expect(PIC.InitializationCommand4().rawValue == 0x01)
  }

  @Test func `the initialization commands have their options`() {
    #expect(PIC.InitializationCommand1(isLevelTriggered: true, isSingle: true, needsICW4: false).rawValue == 0x1a)
    #expect(PIC.InitializationCommand4(endsAutomatically: true, isSpecialFullyNested: true).rawValue == 0x13)
  }

  @Test(
    arguments: [
      (PIC.Chip.master, 0x20, 0x21, 0x4d0), (PIC.Chip.slave, 0xa0, 0xa1, 0x4d1),
    ] as [(PIC.Chip, UInt16, UInt16, UInt16)])
  func `each chip has three ports`(chip: PIC.Chip, command: UInt16, data: UInt16, edgeLevel: UInt16) {
    #expect(chip.commandPort == command)
    #expect(chip.dataPort == data)
    #expect(chip.edgeLevelPort == edgeLevel)
  }

  @Test(arguments: 0...UInt8(7))
  func `a specific EOI names its line`(line: UInt8) {
    #expect(PIC.OperationCommand.endOfInterrupt(line: line).rawValue == 0x60 + line)
  }
}
