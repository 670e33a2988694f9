import APIC
import Testing

@Suite struct LVTEntryTests {
  @Test(
    arguments: [
      (.timer(0x40), 0x0000_0040),
      (.timer(0x40, mode: .periodic), 0x0002_0040),
      (.timer(0x40, mode: .tscDeadline, isMasked: true), 0x0005_0040),
      (.pin(0x50), 0x0000_0050),
      (.pin(0, deliveryMode: .external), 0x0000_0700),
      (.pin(0, deliveryMode: .nmi, polarity: .activeLow, triggerMode: .level), 0x0000_a400),
      (.masked, 0x0001_0000),
    ] as [(LVTEntry, UInt32)])
  func `an entry is laid out as the SDM has it`(entry: LVTEntry, rawValue: UInt32) {
    #expect(entry.rawValue == rawValue)
  }

  @Test func `every field comes back from a full register`() {
    let entry = LVTEntry(rawValue: 0x0003_f4fe)
    #expect(entry.vector == 0xfe)
    #expect(entry.deliveryMode == .nmi)
    #expect(entry.isPending)
    #expect(entry.polarity == .activeLow)
    #expect(entry.remoteIRR)
    #expect(entry.triggerMode == .level)
    #expect(entry.isMasked)
    #expect(entry.timerMode == .periodic)
  }

  @Test func `clearing every field clears the register`() {
    var entry = LVTEntry(rawValue: 0x0007_f7ff)
    entry.vector = 0
    entry.deliveryMode = .fixed
    entry.isPending = false
    entry.polarity = .activeHigh
    entry.remoteIRR = false
    entry.triggerMode = .edge
    entry.isMasked = false
    entry.timerMode = .oneShot
    #expect(entry.rawValue == 0)
  }

  @Test func `the reserved timer mode is kept`() {
    var entry = LVTEntry(rawValue: 0x0006_0040)
    #expect(entry.timerMode == nil)
    entry.timerMode = .tscDeadline
    entry.timerMode = nil
    #expect(entry.rawValue == 0x0006_0040)
  }

  @Test func `each source has its register`() {
    #expect(LocalVector.allCases.map(\.register.rawValue) == [0x2f0, 0x320, 0x330, 0x340, 0x350, 0x360, 0x370])
  }

  @Test func `an entry reads as its mode and vector`() {
    #expect(LVTEntry.timer(0x40).description == "Fixed 0x40")
    #expect(LVTEntry(rawValue: 0x0001_1400).description == "NMI 0x00, send pending, masked")
  }
}
