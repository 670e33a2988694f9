import APIC
import ReferenceModel
import Testing

/// The rules of the local APIC, as the SDM has them.
struct LocalAPICRuleTests {
  private func enabled(_ mode: APICMode = .x2APIC, deviations: Deviations = .none) -> ReferenceLocalAPIC {
    var apic = ReferenceLocalAPIC(id: 1, isBootstrapProcessor: false, deviations: deviations)
    if mode == .x2APIC { same(apic.setBase(APICBase(mode: .x2APIC), byHost: false), true) }
    same(apic.write(0x1ff, to: LocalAPICRegister.spurious.rawValue, at: Moment(0)), .destinations)
    return apic
  }

  private func machine(_ vcpus: Int = 2, deviations: Deviations = .none) -> ReferenceMachine {
    var machine = ReferenceMachine(ReferenceMachine.Configuration(vcpus: vcpus, deviations: deviations))
    for vcpu in 0..<vcpus {
      let base = APICBase(isBootstrapProcessor: vcpu == 0, mode: .x2APIC)
      same(machine.writeMSR(vcpu, MSR.apicBase, base.rawValue, byHost: false, at: Moment(0)), true)
      same(machine.writeMSR(vcpu, LocalAPICRegister.spurious.msr, 0x1ff, byHost: false, at: Moment(0)), true)
    }
    return machine
  }

  @Test func `a vector goes from the IRR to the ISR, and the EOI ends the highest in service`() {
    var machine = machine()
    for vector in [Vector(0x41), 0x52] {
      same(machine.send(MSIMessage(vector: vector, destination: .physical(0))), .delivered(1))
    }
    machine.setActivity(0, .running)
    same(machine.takeInterrupt(0), 0x52)
    #expect(machine.localAPICs[0].page.processorPriority == 0x50)
    // 0x41 is of a lower class than what is in service.
    same(machine.takeInterrupt(0), nil)
    same(machine.writeMSR(0, LocalAPICRegister.endOfInterrupt.msr, 0, byHost: false, at: Moment(0)), true)
    #expect(machine.localAPICs[0].page.inService.isEmpty)
    same(machine.takeInterrupt(0), 0x41)
  }

  @Test func `a vector below 16 is an error that the ESR shows after a write to it`() {
    var machine = machine()
    same(machine.send(MSIMessage(vector: 0x0f, destination: .physical(0))), .coalesced)
    same(machine.readMSR(0, LocalAPICRegister.errorStatus.msr, at: Moment(0)), 0...0)
    same(machine.writeMSR(0, LocalAPICRegister.errorStatus.msr, 0, byHost: false, at: Moment(0)), true)
    let errors = machine.readMSR(0, LocalAPICRegister.errorStatus.msr, at: Moment(0))
    #expect(errors == 0x40...0x40)
    var kernel = self.machine(deviations: .kvm)
    same(kernel.send(MSIMessage(vector: 0x0f, destination: .physical(0))), .delivered(1))
    #expect(kernel.localAPICs[0].page.interruptRequest == [0x0f])
  }

  @Test func `reserved bits are refused in x2APIC mode, and KVM drops them`() {
    var apic = enabled()
    same(apic.write(0x100, to: LocalAPICRegister.taskPriority.rawValue, at: Moment(0)), .refused)
    var kernel = enabled(deviations: .kvm)
    same(kernel.write(0x120, to: LocalAPICRegister.taskPriority.rawValue, at: Moment(0)), .none)
    #expect(kernel.page.taskPriority == 0x20)
    same(kernel.write(1 << 32, to: LocalAPICRegister.taskPriority.rawValue, at: Moment(0)), .refused)
  }

  @Test func `only the transitions that the SDM allows change the mode`() {
    var apic = ReferenceLocalAPIC(id: 0, isBootstrapProcessor: true)
    same(apic.setBase(APICBase(isBootstrapProcessor: true, mode: .invalid), byHost: false), false)
    same(apic.setBase(APICBase(isBootstrapProcessor: true, mode: .x2APIC), byHost: false), true)
    same(apic.setBase(APICBase(isBootstrapProcessor: true, mode: .xAPIC), byHost: false), false)
    same(apic.setBase(APICBase(isBootstrapProcessor: true, mode: .disabled), byHost: false), true)
    same(apic.setBase(APICBase(isBootstrapProcessor: true, mode: .x2APIC), byHost: false), false)
    same(apic.setBase(APICBase(isBootstrapProcessor: true, mode: .xAPIC), byHost: false), true)
  }

  @Test func `INIT resets but keeps the ID, and only then does a SIPI start the processor`() {
    var machine = machine()
    same(machine.acceptEvents(1), .waitingForINIT)
    let startUp = InterruptCommand.startUp(page: 8, to: .physical(1)).rawValue
    let initialize = InterruptCommand.initialize(to: .physical(1)).rawValue
    same(machine.writeMSR(0, LocalAPICRegister.interruptCommand.msr, startUp, byHost: false, at: Moment(0)), true)
    same(machine.acceptEvents(1), .waitingForINIT)
    same(machine.writeMSR(0, LocalAPICRegister.interruptCommand.msr, initialize, byHost: false, at: Moment(0)), true)
    same(machine.acceptEvents(1), .waitingForSIPI)
    #expect(!machine.localAPICs[1].isSoftwareEnabled)
    #expect(machine.localAPICs[1].page[.id] == 1)
    same(machine.writeMSR(0, LocalAPICRegister.interruptCommand.msr, startUp, byHost: false, at: Moment(0)), true)
    same(machine.acceptEvents(1), .running)
    #expect(machine.localAPICs[1].processor.startedAt == 8)
  }

  @Test func `a change into or out of TSC-deadline mode disarms the timer`() {
    var apic = enabled()
    _ = apic.write(UInt64(LVTEntry.timer(0x40, mode: .tscDeadline).rawValue), to: 0x320, at: Moment(0))
    apic.setTSCDeadline(1000)
    #expect(apic.tscDeadline == 1000)
    _ = apic.write(UInt64(LVTEntry.timer(0x40).rawValue), to: 0x320, at: Moment(0))
    #expect(apic.tscDeadline == 0)
    _ = apic.write(UInt64(LVTEntry.timer(0x40, mode: .tscDeadline).rawValue), to: 0x320, at: Moment(0))
    #expect(apic.tscDeadline == 0)
    _ = apic.write(5, to: LocalAPICRegister.initialCount.rawValue, at: Moment(0))
    #expect(apic.page.initialCount == 0)
  }

  @Test func `the current count is what is left, divided`() {
    var apic = enabled()
    _ = apic.write(UInt64(TimerDivide.by16.registerValue), to: LocalAPICRegister.divide.rawValue, at: Moment(0))
    _ = apic.write(1_000_000, to: LocalAPICRegister.initialCount.rawValue, at: Moment(100))
    #expect(apic.currentCount(at: Moment(100 + 16 * 250_000)) == 750_000...750_000)
    #expect(apic.currentCount(at: Moment(100 + 16 * 2_000_000)) == 0...0)
  }

  @Test func `a logical destination reaches the members of its cluster`() {
    var machine = machine(4)
    let message = MSIMessage(vector: 0x40, destination: .logical(0b1010))
    same(machine.send(message), .delivered(2))
    #expect(machine.localAPICs.map { !$0.page.interruptRequest.isEmpty } == [false, true, false, true])
  }

  @Test func `a broadcast with a redirection hint becomes a fixed interrupt to one in KVM, even an NMI`() {
    var message = MSIMessage(vector: 0x40, destination: .physical(0xff), deliveryMode: .nmi, redirectionHint: true)
    message.redirectionHint = true
    var kernel = machine(2, deviations: .kvm)
    same(kernel.send(message), .delivered(1))
    #expect(kernel.localAPICs[0].page.interruptRequest == [0x40])
    #expect(kernel.localAPICs[0].processor.pendingNMIs == 0)
  }
}
