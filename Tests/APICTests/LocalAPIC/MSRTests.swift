import APIC
import Testing

@Suite struct MSRTests {
  @Test func `KVM's registers follow its name in ASCII`() {
    let kvm = "KVM".utf8.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << 8
    let registers = [
      MSR.wallClock, MSR.systemTime, MSR.asyncPF, MSR.stealTime, MSR.pvEOI, MSR.pollControl, MSR.asyncPFInterrupt,
      MSR.asyncPFAcknowledge,
    ]
    #expect(registers == (0...7).map { kvm + $0 })
  }
}
