import APIC
import Testing

@Suite struct DeliveryModeTests {
  @Test func `encoding 3 is no delivery mode`() {
    #expect(DeliveryMode(rawValue: 3) == nil)
    #expect(DeliveryMode.allCases.map(\.rawValue) == [0, 1, 2, 4, 5, 6, 7])
  }

  @Test(arguments: [UInt64(0x0300), 0xffff_ffff_ffff_fbff])
  func `a register that holds the reserved encoding keeps it`(rawValue: UInt64) {
    var command = InterruptCommand(rawValue: rawValue)
    #expect(command.deliveryMode == nil)
    command.deliveryMode = .external
    command.deliveryMode = nil
    #expect(command.rawValue == rawValue)
    #expect(command.description.hasPrefix("Reserved"))
  }
}
