import APIC
import Testing

@Suite struct IOAPICRegisterTests {
  @Test(arguments: [(0, 0x10, 0x11), (23, 0x3e, 0x3f), (119, 0xfe, 0xff)] as [(Int, UInt8, UInt8)])
  func `each pin has two registers`(pin: Int, low: UInt8, high: UInt8) {
    #expect(IOAPICRegister.redirectionLow(pin: pin).rawValue == low)
    #expect(IOAPICRegister.redirectionHigh(pin: pin).rawValue == high)
  }

  @Test func `the version register tells the number of pins`() {
    var version = IOAPICVersion(rawValue: 0x0017_0011)
    #expect(version.version == 0x11)
    #expect(Int(version.maxRedirectionEntry) + 1 == IOAPIC.pinCount)
    version.version = 0x20
    version.maxRedirectionEntry = 119
    #expect(version.rawValue == 0x0077_0020)
  }
}
