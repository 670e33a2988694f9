import APIC
import Testing

@Suite struct PITTests {
  @Test(
    arguments: [
      (PIT.Command(.timer, mode: .rateGenerator), 0x34),
      (PIT.Command(.speaker, mode: .interruptOnTerminalCount), 0xb0),
      (PIT.Command(.refresh, mode: .squareWave, access: .low), 0x56),
      (.latch(.speaker), 0x80),
      (.readBack(.timer), 0xe2),
      (.readBack(.speaker, count: true), 0xc8),
    ] as [(PIT.Command, UInt8)])
  func `a command is laid out as the data sheet has it`(command: PIT.Command, rawValue: UInt8) {
    #expect(command.rawValue == rawValue)
  }

  @Test func `each channel has a port`() {
    #expect([PIT.Channel.timer, .refresh, .speaker].map(\.port) == [0x40, 0x41, 0x42])
  }

  @Test(
    arguments: [
      (1_193_182, 1), (1000, 1193), (100, 11931), (19, 62799), (18, 0), (0, 0), (.max, 1),
    ] as [(UInt32, UInt16)])
  func `a frequency has a count, where 0 stands for 65536`(hertz: UInt32, count: UInt16) {
    #expect(PIT.count(hertz: hertz) == count)
  }

  @Test func `port 0x61 gates channel 2 and shows its output`() {
    var control = PIT.SystemControl(rawValue: 0x32)
    #expect(control.output)
    #expect(control.speaker)
    control.gate = true
    control.speaker = false
    #expect(control.gate)
    #expect(control.rawValue == 0x31)
  }
}
