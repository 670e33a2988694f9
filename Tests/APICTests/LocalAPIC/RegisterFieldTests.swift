import APIC
import Testing

@Suite struct RegisterFieldTests {
  @Test func `the SVR switches the local APIC on`() {
    var spurious = SpuriousInterruptVectorRegister(vector: 0xff)
    #expect(spurious.rawValue == 0x1ff)
    spurious.isSoftwareEnabled = false
    spurious.focusCheckingDisabled = true
    spurious.suppressesEOIBroadcast = true
    #expect(spurious.rawValue == 0x12ff)
    #expect(spurious.vector == 0xff)
  }

  @Test func `the version register tells the number of LVT entries`() {
    var version = LocalAPICVersion(rawValue: 0x0105_0014)
    #expect(version.version == 0x14)
    #expect(version.maxLVTEntry == 5)
    #expect(version.supportsEOIBroadcastSuppression)
    version.maxLVTEntry = 6
    version.version = 0x15
    version.supportsEOIBroadcastSuppression = false
    #expect(version.rawValue == 0x0006_0015)
  }

  @Test func `the ESR is a set of errors with the SDM's names`() {
    let errors = ErrorStatus(rawValue: 0x60)
    #expect(errors == [.sendIllegalVector, .receivedIllegalVector])
    #expect(errors.contains(.sendIllegalVector))
    #expect(!errors.contains([.sendIllegalVector, .sendChecksum]))
    #expect(errors.description == "{Send Illegal Vector, Received Illegal Vector}")
    #expect(ErrorStatus(rawValue: 0).isEmpty)
  }

  @Test func `the DFR selects one of two models`() {
    #expect(DestinationFormat.flat.registerValue == 0xffff_ffff)
    #expect(DestinationFormat.cluster.registerValue == 0x0fff_ffff)
    #expect(DestinationFormat(registerValue: 0xf000_0000) == .flat)
    #expect(DestinationFormat(registerValue: 0x7fff_ffff) == nil)
  }
}
