import APIC
import ReferenceModel
import Testing

@testable import Exploration

/// The model as the machine that an exploration makes.
struct ModelSubjectTests {
  @Test func `the first exit of a vCPU of AMD takes the TPR from CR8, though its local APIC is disabled by then`()
    throws
  {
    let subject = ModelSubject(
      ReferenceMachine.Configuration(vcpus: 1, deviations: Deviations.kvm.with(.taskPriorityFromCR8AtExit)))
    try HistoryRun.begin(HistoryMachine(vcpus: 1, startsInX2APIC: true), subject)
    for step in [
      try ConcurrentPartTests.step("register.svr", 0, 0xff), try ConcurrentPartTests.step("register.tpr", 0, 0x4f),
      try ConcurrentPartTests.step("page.write", 0, 0xb0, 4),
    ] { _ = try subject.perform(step) }
    #expect(subject.machine.localAPICs[0].page[.taskPriority] == 0x40)
  }

  @Test func `an interrupt may come between STI and HLT only where the host loses the shadow`() throws {
    for (deviations, mayComeBefore) in [(Deviations.kvm, false), (Deviations.kvm.with(.shadowLostAtExit), true)] {
      let subject = ModelSubject(ReferenceMachine.Configuration(vcpus: 1, deviations: deviations))
      try HistoryRun.begin(HistoryMachine(vcpus: 1, startsInX2APIC: true), subject)
      _ = subject.send(MSIMessage(address: 0xfee0_0000, data: 0x41))
      let answer = subject.haltOrGoOn(0, .haltAfterSTI)
      #expect(answer.allows(.taken(vector: 0x41, isBehind: true)))
      #expect(answer.allows(.taken(vector: 0x41, isBehind: false)) == mayComeBefore)
      #expect(!answer.allows(.taken(vector: 0x42, isBehind: true)))
    }
  }
}
