import APIC
import Testing

@Suite struct MSIMessageTests {
  @Test func `the plain message is an edge to an APIC ID`() {
    let message = MSIMessage(vector: 0x70, destination: .physical(1))
    #expect(message.address == 0xfee0_1000)
    #expect(message.data == 0x70)
  }

  @Test func `an MSI to x2APIC id 300 carries the high bits`() {
    let message = MSIMessage(vector: 0x70, destination: .physical(300))
    #expect(message.address == 0x0000_0100_fee2_c000)
    #expect(message.destination == .physical(300))
    #expect(message.isInterrupt)
  }

  @Test(arguments: [Destination.physical(0xff), .logical(0x0012_1001), .x2APICBroadcast, .physical(0)])
  func `a destination of up to 32 bits comes back`(destination: Destination) {
    var message = MSIMessage(vector: 0x30, destination: .x2APICBroadcast)
    message.destination = destination
    #expect(message == MSIMessage(vector: 0x30, destination: destination))
    #expect(message.destination == destination)
  }

  @Test(arguments: DeliveryMode.allCases, TriggerMode.allCases)
  func `every field comes back as it was set`(mode: DeliveryMode, triggerMode: TriggerMode) {
    let message = MSIMessage(
      vector: 0xef, destination: .logical(3), deliveryMode: mode, triggerMode: triggerMode, redirectionHint: true)
    #expect(message.address == 0xfee0_300c)
    #expect(message.vector == 0xef)
    #expect(message.deliveryMode == mode)
    #expect(message.triggerMode == triggerMode)
    #expect(message.isAsserted == (triggerMode == .level))
    #expect(message.redirectionHint)
  }

  @Test func `a level message can assert and deassert`() {
    let assert = MSIMessage(vector: 0x70, destination: .physical(1), triggerMode: .level)
    let deassert = MSIMessage(vector: 0x70, destination: .physical(1), triggerMode: .level, isAsserted: false)
    #expect(assert.data == 0xc070)
    #expect(deassert.data == 0x8070)
  }

  @Test func `the reserved delivery mode is kept`() {
    var message = MSIMessage(address: 0xfee0_0000, data: 0x0370)
    #expect(message.deliveryMode == nil)
    message.vector = 0x71
    #expect(message.data == 0x0371)
  }

  @Test func `a write to other memory is no interrupt`() {
    let message = MSIMessage(address: 0x1000, data: 0x70)
    #expect(!message.isInterrupt)
    #expect(message.description == "0x70 to address 0x1000")
  }

  @Test func `a message reads as a sentence`() {
    let plain = MSIMessage(vector: 0x70, destination: .physical(1))
    let level = MSIMessage(
      vector: 0x71, destination: .logical(3), deliveryMode: .lowestPriority, triggerMode: .level, redirectionHint: true)
    #expect(plain.description == "Fixed 0x70 to physical 1")
    #expect(level.description == "Lowest Priority 0x71 to logical 0x3, level asserted, redirectable")
  }
}
