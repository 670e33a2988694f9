import APIC
import Testing

@Suite struct InterruptCommandTests {
  @Test(
    arguments: [
      (.interrupt(0x40, to: .physical(1)), 0x0000_0001_0000_4040),
      (.interrupt(0x40, to: .logical(0x3)), 0x0000_0003_0000_4840),
      (.nmi(to: .physical(300)), 0x0000_012c_0000_4400),
      (.initialize(to: .physical(2)), 0x0000_0002_0000_4500),
      (.startUp(page: 0x08, to: .x2APICBroadcast), 0xffff_ffff_0000_4608),
      (.toSelf(0x31), 0x0004_4031),
      (
        InterruptCommand(
          deliveryMode: .initialize, shorthand: .allIncludingSelf, isAsserted: false, triggerMode: .level), 0x8_8500
      ),
    ] as [(InterruptCommand, UInt64)])
  func `a command is laid out as the SDM has it`(command: InterruptCommand, rawValue: UInt64) {
    #expect(command.rawValue == rawValue)
  }

  @Test func `xAPIC mode has the destination in the upper byte of the second register`() {
    let command = InterruptCommand.interrupt(0x40, to: .physical(0xfe))
    #expect(command.xAPICHigh == 0xfe00_0000)
    #expect(command.xAPICLow == 0x4040)
    #expect(InterruptCommand(xAPICHigh: command.xAPICHigh, low: command.xAPICLow) == command)
  }

  @Test func `xAPIC mode cuts x2APIC id 300 to 8 bits`() {
    #expect(InterruptCommand.nmi(to: .physical(300)).xAPICHigh == 0x2c00_0000)
  }

  @Test(arguments: DestinationShorthand.allCases, DeliveryMode.allCases)
  func `every field comes back as it was set`(shorthand: DestinationShorthand, mode: DeliveryMode) {
    var command = InterruptCommand(
      vector: 0xfe, deliveryMode: mode, destination: .logical(0x8000_0001), shorthand: shorthand, isAsserted: false,
      triggerMode: .level)
    command.deliveryPending = true
    #expect(command.vector == 0xfe)
    #expect(command.deliveryMode == mode)
    #expect(command.destination == .logical(0x8000_0001))
    #expect(command.shorthand == shorthand)
    #expect(!command.isAsserted)
    #expect(command.triggerMode == .level)
    #expect(command.deliveryPending)
  }

  @Test func `setting a field leaves the others alone`() {
    var command = InterruptCommand(rawValue: .max)
    command.vector = 0
    command.destination = .physical(0)
    #expect(command.rawValue == 0x0000_0000_ffff_f700)
  }

  @Test(
    arguments: [
      (.interrupt(0x40, to: .physical(1)), "Fixed 0x40 to physical 1"),
      (.startUp(page: 0x08, to: .logical(2)), "Start Up 0x08 to logical 0x2"),
      (.toSelf(0x31), "Fixed 0x31 to self"),
      (InterruptCommand(rawValue: 0x0008_d540), "INIT 0x40 to all including self, level asserted, send pending"),
      (InterruptCommand(rawValue: 0x000c_8500), "INIT 0x00 to all excluding self, level deasserted"),
    ] as [(InterruptCommand, String)])
  func `a command reads as a sentence`(command: InterruptCommand, text: String) {
    #expect(command.description == text)
  }
}
