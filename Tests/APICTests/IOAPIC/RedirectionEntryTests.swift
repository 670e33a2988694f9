import APIC
import Testing

@Suite struct RedirectionEntryTests {
  @Test func `an entry is laid out as the data sheet has it`() {
    let entry = RedirectionEntry(
      vector: 0x31, destination: .logical(0x81), deliveryMode: .lowestPriority, polarity: .activeLow,
      triggerMode: .level, isMasked: true)
    #expect(entry.rawValue == 0x8100_0000_0001_a931)
    #expect(entry == RedirectionEntry(low: 0x0001_a931, high: 0x8100_0000))
    #expect(RedirectionEntry.masked.rawValue == 0x0001_0000)
  }

  @Test func `every field comes back from a full entry`() {
    let entry = RedirectionEntry(rawValue: 0xfe00_0000_0001_ff31)
    #expect(entry.vector == 0x31)
    #expect(entry.deliveryMode == .external)
    #expect(entry.destination == .logical(0xfe))
    #expect(entry.isPending)
    #expect(entry.polarity == .activeLow)
    #expect(entry.remoteIRR)
    #expect(entry.triggerMode == .level)
    #expect(entry.isMasked)
  }

  @Test func `the halves are written one at a time`() {
    var entry = RedirectionEntry(rawValue: .max)
    entry.low = 0x30
    #expect(entry.rawValue == 0xffff_ffff_0000_0030)
    entry.high = 0x0200_0000
    #expect(entry.destination == .physical(2))
    #expect(entry.low == 0x30)
    #expect(entry.high == 0x0200_0000)
  }

  @Test func `the status bits can be set, as the chip does`() {
    var entry = RedirectionEntry(vector: 0x30, destination: .physical(0), triggerMode: .level)
    entry.remoteIRR = true
    entry.isPending = true
    #expect(entry.low == 0xd030)
    #expect(entry.description == "Fixed 0x30 to physical 0, level asserted, send pending, remote IRR")
  }

  @Test func `the field takes 8 bits of an x2APIC id`() {
    #expect(RedirectionEntry(vector: 0x30, destination: .physical(300)).destination == .physical(0x2c))
  }

  @Test func `an edge pin sends the plain message`() {
    let entry = RedirectionEntry(vector: 0x30, destination: .physical(1), polarity: .activeLow)
    #expect(entry.message == MSIMessage(vector: 0x30, destination: .physical(1)))
  }

  @Test func `a level pin sends a message that asserts`() {
    let entry = RedirectionEntry(
      vector: 0x30, destination: .logical(3), deliveryMode: .lowestPriority, triggerMode: .level)
    #expect(entry.message.address == 0xfee0_3004)
    #expect(entry.message.data == 0xc130)
  }

  @Test func `the message keeps the reserved delivery mode`() {
    #expect(RedirectionEntry(rawValue: 0x0330).message.data == 0x0330)
  }
}
