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
}
