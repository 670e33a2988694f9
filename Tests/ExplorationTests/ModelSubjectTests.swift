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
    let machine = HistoryMachine(vcpus: 1, startsInX2APIC: true)
    let steps = [
      // A message of the reserved mode ends the next halt, and an interrupt waits.
      try ConcurrentPartTests.step("msi.send", 0, 0, 0, 3), try ConcurrentPartTests.step("msi.send", 0x41, 0),
      try ConcurrentPartTests.step("guest.halt", 0), try ConcurrentPartTests.step("guest.take", 0),
      try ConcurrentPartTests.step("register.eoi", 0), try ConcurrentPartTests.step("guest.halt", 0),
    ]
    for (deviations, mayComeBefore) in [(Deviations.kvm, false), (Deviations.kvm.with(.shadowLostAtExit), true)] {
      for losesShadow in [false, true] {
        let host = ModelSubject(ReferenceMachine.Configuration(vcpus: 1, deviations: deviations))
        let run = try HistoryRun(machine, deviations: deviations, subject: host, clock: FaultTests.clock)
        var differs = false
        for step in steps where !differs {
          host.hasLostShadow = losesShadow
          differs = try !run.perform(step).isEmpty
        }
        #expect(differs == (losesShadow && !mayComeBefore))
      }
    }
  }

  @Test func `with APICv an edge finds that nobody has the clock's interrupt in hand any more`() throws {
    for (deviations, isSought) in [(Deviations.kvm, false), (Deviations.kvm.with(.clockEndSought), true)] {
      let subject = ModelSubject(ReferenceMachine.Configuration(vcpus: 2, deviations: deviations))
      try HistoryRun.begin(HistoryMachine(vcpus: 2, startsInX2APIC: true), subject)
      for step in [
        // Vector 0, which is that of pin 8 after a reset, is requested, and KVM_SET_LAPIC finds it.
        try ConcurrentPartTests.step("msi.send", 0, 7, 1),
        try ConcurrentPartTests.step("lapic.register", 0, 0xf0, 0x1ff),
        try ConcurrentPartTests.step("line.set", 8, 1), try ConcurrentPartTests.step("line.set", 8, 0),
        // INIT takes the request back.
        try ConcurrentPartTests.step("ipi.send", 1, 0x40, 1, 0, 5, 3, 0x5000),
        try ConcurrentPartTests.step("guest.take", 0),
      ] { _ = try subject.perform(step) }
      #expect(subject.machine.ioapicRequests == 0)
      _ = try subject.perform(try ConcurrentPartTests.step("line.set", 8, 1))
      #expect(subject.machine.ioapicRequests == (isSought ? 0x100 : 0))
    }
  }
}
