import APIC
import Testing

@Suite struct APICBaseTests {
  @Test func `the bootstrap processor comes out of reset with its xAPIC on`() {
    let base = APICBase(rawValue: 0xfee0_0900)
    #expect(base == APICBase(isBootstrapProcessor: true))
    #expect(base.address == 0xfee0_0000)
    #expect(base.isBootstrapProcessor)
    #expect(base.isEnabled)
    #expect(!base.isX2APIC)
  }

  @Test(arguments: zip(APICMode.allCases, [0x000, 0x800, 0xc00, 0x400] as [UInt64]))
  func `bits 11 and 10 are the mode`(mode: APICMode, bits: UInt64) {
    #expect(APICBase(rawValue: bits).mode == mode)
    var base = APICBase(rawValue: 0xfee0_0d00)
    base.mode = mode
    #expect(base.rawValue == 0xfee0_0100 | bits)
  }

  @Test func `the page can lie anywhere in 52 bits`() {
    var base = APICBase(mode: .x2APIC)
    base.address = 0x000f_ffff_ffff_f000
    #expect(base.rawValue == 0x000f_ffff_ffff_fc00)
    #expect(base.address == 0x000f_ffff_ffff_f000)
  }
}
