import APIC
import ReferenceModel
import Testing

/// What halts a processor, and what ends that.
struct HaltRuleTests {
  private func machine(_ deviations: Deviations = .none) -> ReferenceMachine {
    var machine = ReferenceMachine(ReferenceMachine.Configuration(vcpus: 2, deviations: deviations))
    for vcpu in 0..<2 {
      let base = APICBase(isBootstrapProcessor: vcpu == 0, mode: .x2APIC)
      same(machine.writeMSR(vcpu, MSR.apicBase, base.rawValue, byHost: true, at: Moment(0)), true)
      same(machine.writeMSR(vcpu, LocalAPICRegister.spurious.msr, 0x1ff, byHost: true, at: Moment(0)), true)
      machine.setActivity(vcpu, .running)
      machine.enter(vcpu)
    }
    return machine
  }

  @Test func `an interrupt ends a halt, and one that waits keeps HLT from halting`() {
    var machine = machine()
    same(machine.halt(0, takesInterrupts: true), true)
    same(machine.resume(0), false)
    same(machine.send(MSIMessage(vector: 0x40, destination: .physical(0))), .delivered(1))
    same(machine.resume(0), true)
    same(machine.send(MSIMessage(vector: 0x50, destination: .physical(1))), .delivered(1))
    same(machine.halt(1, takesInterrupts: true), false)
    #expect(machine.metRules.contains(.haltEnded) && machine.metRules.contains(.haltPassed))
  }

  @Test func `an interrupt that a priority or the interrupt flag holds back ends no halt`() {
    var machine = machine()
    same(machine.guestWriteMSR(0, LocalAPICRegister.taskPriority.msr, 0x50, at: Moment(0)), true)
    for vcpu in [0, 1] {
      same(machine.send(MSIMessage(vector: 0x40, destination: .physical(UInt32(vcpu)))), .delivered(1))
    }
    same(machine.halt(0, takesInterrupts: true), true)
    same(machine.halt(1, takesInterrupts: false), true)
    machine.signalNMI(1)
    same(machine.resume(1), true)
    same(machine.resume(0), false)
  }

  @Test func `KVM ends a halt for every NMI, and for a message of the reserved mode`() {
    for (deviations, ends) in [(Deviations.none, false), (.kvm, true)] {
      var machine = machine(deviations)
      machine.signalNMI(0)
      machine.enter(0)
      same(machine.takeInterrupt(0), 2)
      // It is in the handler: NMIs are masked.
      machine.signalNMI(0)
      machine.setActivity(0, .halted)
      same(machine.resume(0), ends)
      let message = MSIMessage(address: 0xfee0_1000, data: 0x300)
      same(machine.send(message), ends ? .delivered(1) : .coalesced)
      same(machine.halt(1, takesInterrupts: true), !ends)
    }
  }

  @Test func `to be set running takes away what would wake the processor, and before 6 15 does not`() {
    for isKept in [false, true] {
      var machine = machine(isKept ? .kvm.with(.wakeUpKept) : .kvm)
      same(machine.send(MSIMessage(address: 0xfee0_0000, data: 0x300)), .delivered(1))
      machine.setActivity(0, .running)
      same(machine.halt(0, takesInterrupts: true), !isKept)
    }
  }
}
