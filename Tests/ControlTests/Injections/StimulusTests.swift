import APIC
import Testing

@testable import Control

/// What people write for an interrupt from outside.
@Suite struct StimulusTests {
  @Test(arguments: [
    ("line:20=1", Stimulus.line(gsi: 20, .high)), ("line:0x14=0", .line(gsi: 20, .low)),
    ("line:4095=pulse", .line(gsi: 4095, .pulse)),
    ("msi:0xfee01000:0x41", .msi(MSIMessage(address: 0xfee0_1000, data: 0x41))),
    ("msi:0x100feeff00c:65", .msi(MSIMessage(address: 0x100_feef_f00c, data: 65))),
    ("nmi:1", .nmi(vcpu: 1)), ("irqfd:24", .irqfd(gsi: 24)),
  ])
  func `a stimulus is read, and written as it can be read again`(_ text: String, _ stimulus: Stimulus) throws {
    #expect(try Stimulus(written: text) == stimulus)
    #expect(try Stimulus(written: stimulus.description) == stimulus)
  }

  @Test(arguments: [
    ("line:4096=1", "a GSI is 0 to 4095, not 4096"), ("line:=1", "a GSI is a number from 0 to 4095"),
    ("line:+1=1", "a GSI is a number from 0 to 4095"), ("line:1=2", "line:GSI=0"), ("line:1", "line:GSI=0"),
    ("irqfd:5000", "a GSI is 0 to 4095, not 5000"), ("msi:0xfed00000:1", "0xfee00000 to 0xfeefffff"),
    ("msi:0x1fee00000:1", "0xfee00000 to 0xfeefffff"), ("msi:0xfee00000:0x100000000", "0 to 0xffffffff"),
    ("msi:0xfee00000", "is wanted"), ("nmi:x", "nmi:VCPU is wanted"), ("nmi:-1", "nmi:VCPU is wanted"),
    ("", "is wanted"), ("smi:0", "is wanted"),
  ])
  func `what is none, or out of range, is told with what is wanted`(_ text: String, _ words: String) {
    let error = #expect(throws: StimulusError.self) { try Stimulus(written: text) }
    #expect(error?.description.contains(words) == true)
  }

  @Test func `an NMI is for a vCPU that the machine has`() throws {
    try Stimulus.nmi(vcpu: 1).validate(vcpus: 2)
    let error = #expect(throws: StimulusError.self) {
      try Stimulus(written: "nmi:99999999999999999999").validate(vcpus: 2)
    }
    #expect(error != nil)
    let range = #expect(throws: StimulusError.self) { try Stimulus.nmi(vcpu: 2).validate(vcpus: 2) }
    #expect(range?.description == "a vCPU is 0 to 1 here, not 2")
  }
}
