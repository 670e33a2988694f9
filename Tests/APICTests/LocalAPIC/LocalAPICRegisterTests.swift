import APIC
import Testing

@Suite struct LocalAPICRegisterTests {
  @Test(
    arguments: [
      (.id, 0x802), (.taskPriority, 0x808), (.endOfInterrupt, 0x80b), (.spurious, 0x80f), (.interruptCommand, 0x830),
      (.lvtTimer, 0x832), (.divide, 0x83e), (.selfIPI, 0x83f),
    ] as [(LocalAPICRegister, UInt32)])
  func `a register has the MSR that the SDM lists`(register: LocalAPICRegister, msr: UInt32) {
    #expect(register.msr == msr)
  }

  @Test(
    arguments: [
      (.inService, 0x170, 0x817), (.triggerModes, 0x1f0, 0x81f), (.interruptRequest, 0x270, 0x827),
    ] as [(LocalAPICRegister, UInt16, UInt32)])
  func `a bitmap is eight registers in a row`(register: LocalAPICRegister, lastOffset: UInt16, lastMSR: UInt32) {
    #expect(register.wordCount == 8)
    #expect(register.offset() == register.rawValue)
    #expect(register.offset(word: 7) == lastOffset)
    #expect(register.msr(word: 7) == lastMSR)
  }

  @Test func `four registers exist in xAPIC mode only, and one in x2APIC mode only`() {
    #expect(
      LocalAPICRegister.allCases.filter { !$0.isInX2APIC }
        == [.arbitrationPriority, .remoteRead, .destinationFormat, .interruptCommandHigh])
    #expect(LocalAPICRegister.allCases.filter { !$0.isInXAPIC } == [.selfIPI])
  }

  @Test func `x2APIC mode takes the IDs out of software's hands`() {
    #expect(LocalAPICRegister.logicalDestination.access(in: .xAPIC) == .readWrite)
    #expect(LocalAPICRegister.logicalDestination.access(in: .x2APIC) == .readOnly)
    #expect(LocalAPICRegister.id.access(in: .x2APIC) == .readOnly)
  }

  @Test(arguments: [APICMode.xAPIC, .x2APIC])
  func `the EOI register is write-only and the PPR read-only in both modes`(mode: APICMode) {
    #expect(LocalAPICRegister.endOfInterrupt.access(in: mode) == .writeOnly)
    #expect(LocalAPICRegister.processorPriority.access(in: mode) == .readOnly)
    #expect(LocalAPICRegister.interruptCommand.access(in: mode) == .readWrite)
  }

  @Test(arguments: LocalAPICRegister.allCases)
  func `a local APIC that is off has no registers`(register: LocalAPICRegister) {
    #expect(register.access(in: .disabled) == nil)
    #expect(register.access(in: .invalid) == nil)
  }

  @Test func `no two registers share a name`() {
    #expect(Set(LocalAPICRegister.allCases.map(\.name)).count == LocalAPICRegister.allCases.count)
    #expect(Set(LocalAPICRegister.allCases.map(\.mnemonic)).count == LocalAPICRegister.allCases.count)
    #expect(LocalAPICRegister.taskPriority.name == "Task Priority Register (TPR)")
    #expect(LocalAPICRegister.taskPriority.mnemonic == "TPR")
  }
}
