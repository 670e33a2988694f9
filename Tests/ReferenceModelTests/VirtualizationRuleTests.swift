import APIC
import ReferenceModel
import Testing

/// What a processor with VT-x does of a local APIC by itself.
struct VirtualizationRuleTests {
  private static let intel = Deviations.kvm.with(.taskPriorityShadowed).with(.thresholdStaleAtEntry)
  private static let apicv = intel.without(.priorityStaleAfterRestore).with(.priorityStaleWhileDisabled)
    .with(.virtualizationInhibitedByIdentifier)

  private func machine(_ deviations: Deviations) -> ReferenceMachine {
    var machine = ReferenceMachine(ReferenceMachine.Configuration(vcpus: 2, deviations: deviations))
    for vcpu in 0..<2 {
      let base = APICBase(isBootstrapProcessor: vcpu == 0, mode: .x2APIC)
      same(machine.writeMSR(vcpu, MSR.apicBase, base.rawValue, byHost: true, at: Moment(0)), true)
      same(machine.writeMSR(vcpu, LocalAPICRegister.spurious.msr, 0x1ff, byHost: true, at: Moment(0)), true)
      machine.setActivity(vcpu, .running)
    }
    return machine
  }

  private func writeTPR(_ machine: inout ReferenceMachine, _ value: UInt64) {
    same(machine.guestWriteMSR(0, LocalAPICRegister.taskPriority.msr, value, at: Moment(0)), true)
  }

  /// Gives vCPU 1, in xAPIC mode, an ID.
  private func setIdentifier(_ machine: inout ReferenceMachine, _ id: UInt32) {
    let base = APICBase(mode: .xAPIC)
    same(machine.writeMSR(1, MSR.apicBase, base.rawValue, byHost: true, at: Moment(0)), true)
    var page = machine.localAPICState(1)
    page[.id] = id << 24
    same(machine.setLocalAPICState(1, page, at: Moment(0)), true)
  }

  @Test func `without APICv a guest's TPR leaves the PPR until KVM looks`() {
    var machine = machine(Self.intel)
    writeTPR(&machine, 0x40)
    #expect(machine.localAPICs[0].page.taskPriority == 0x40)
    #expect(machine.localAPICs[0].page.processorPriority == 0)
    machine.enter(0)
    machine.lookForInterrupts(0)
    #expect(machine.localAPICs[0].page.processorPriority == 0x40)
    same(machine.guestWriteMSR(0, LocalAPICRegister.taskPriority.msr, 0x100, at: Moment(0)), false)
    #expect(machine.metRules.contains(.taskPriorityKept))
  }

  @Test func `with APICv the PPR follows, until an ID that is not the vCPU's has inhibited it`() {
    for isKept in [false, true] {
      var machine = machine(isKept ? Self.apicv.with(.inhibitionKept) : Self.apicv)
      writeTPR(&machine, 0x20)
      #expect(machine.localAPICs[0].page.processorPriority == 0x20)
      setIdentifier(&machine, 0)
      // It has not heard of it yet.
      #expect(machine.localAPICs[0].virtualization.isActive)
      machine.enter(0)
      #expect(!machine.localAPICs[0].virtualization.isActive)
      writeTPR(&machine, 0x60)
      #expect(machine.localAPICs[0].page.processorPriority == 0x20)
      setIdentifier(&machine, 1)
      machine.enter(0)
      #expect(machine.localAPICs[0].virtualization.isActive != isKept)
    }
  }

  @Test func `an entry is refused while the threshold is above a TPR that let nothing in`() {
    var machine = machine(Self.intel)
    same(machine.send(MSIMessage(vector: 0x45, destination: .physical(0))), .delivered(1))
    same(machine.takeInterrupt(0), 0x45)
    same(machine.send(MSIMessage(vector: 0x42, destination: .physical(0))), .delivered(1))
    writeTPR(&machine, 0x50)
    machine.lookForInterrupts(0)
    machine.setThreshold(0, hasEvent: true)
    #expect(machine.localAPICs[0].virtualization.threshold == 4)
    same(machine.isEntryRefused(0), false)
    // 0x45 in service holds 0x42 back, whatever the TPR says.
    writeTPR(&machine, 0)
    same(machine.isEntryRefused(0), true)
    machine.setThreshold(0, hasEvent: true)
    same(machine.isEntryRefused(0), false)
  }

  @Test func `in xAPIC mode a vCPU with a threshold above its TPR leaves as soon as it has entered`() {
    var machine = machine(Self.intel)
    same(machine.send(MSIMessage(vector: 0x42, destination: .physical(0))), .delivered(1))
    writeTPR(&machine, 0x50)
    machine.setThreshold(0, hasEvent: true)
    same(machine.writeMSR(0, LocalAPICRegister.taskPriority.msr, 0, byHost: true, at: Moment(0)), true)
    same(machine.mayStall(0), false)
    let base = APICBase(isBootstrapProcessor: true, mode: .xAPIC)
    same(machine.writeMSR(0, MSR.apicBase, base.rawValue, byHost: true, at: Moment(0)), true)
    same(machine.mayStall(0), true)
    same(machine.setLocalAPICState(0, machine.localAPICState(0), at: Moment(0)), true)
    same(machine.mayStall(0), false)
  }

  @Test func `behind an interrupt of the PICs KVM looks once more, and derives the PPR`() {
    for deviations in [Self.intel, Self.intel.without(.taskPriorityShadowed)] {
      var machine = machine(deviations)
      // LINT0 of vCPU 0 is an unmasked ExtINT after reset.
      writeTPR(&machine, 0x20)
      machine.writePorts(0, to: 0x21, width: 1)
      same(machine.setLine(1, to: true), .delivered(1))
      same(machine.takeInterrupt(0), 1)
      #expect(machine.localAPICs[0].page.processorPriority == 0x20)
    }
  }

  /// Puts a vector into the ISR of vCPU 0 while IA32_APIC_BASE has its local APIC disabled, and enters.
  private func restoreWhileDisabled(_ deviations: Deviations) -> ReferenceMachine {
    var machine = machine(deviations)
    let disabled = APICBase(isBootstrapProcessor: true, mode: .disabled)
    same(machine.writeMSR(0, MSR.apicBase, disabled.rawValue, byHost: true, at: Moment(0)), true)
    var page = machine.localAPICState(0)
    page.inService = [0x40]
    same(machine.setLocalAPICState(0, page, at: Moment(0)), true)
    let enabled = APICBase(isBootstrapProcessor: true, mode: .x2APIC)
    same(machine.writeMSR(0, MSR.apicBase, enabled.rawValue, byHost: true, at: Moment(0)), true)
    machine.enter(0)
    return machine
  }

  @Test func `where APICv comes back the processor learns what is in service, or an EOI ends nothing`() {
    let eoi = LocalAPICRegister.endOfInterrupt.msr
    var good = restoreWhileDisabled(Self.apicv)
    #expect(good.localAPICs[0].page.processorPriority == 0x40)
    same(good.guestWriteMSR(0, eoi, 0, at: Moment(0)), true)
    #expect(good.localAPICs[0].page.inService == [])

    var stale = restoreWhileDisabled(Self.apicv.with(.serviceVectorStale))
    #expect(stale.localAPICs[0].page.processorPriority == 0)
    same(stale.guestReadMSR(0, LocalAPICRegister.processorPriority.msr, at: Moment(0)), 0...0)
    same(stale.guestWriteMSR(0, eoi, 0, at: Moment(0)), true)
    // The service goes on, but the processor has found it.
    #expect(stale.localAPICs[0].page.inService == [0x40])
    #expect(stale.localAPICs[0].page.processorPriority == 0x40)
    same(stale.guestWriteMSR(0, eoi, 0, at: Moment(0)), true)
    #expect(stale.localAPICs[0].page.inService == [])
  }

  @Test func `an EOI with nothing in service is one of vector 0 for an APICv processor`() {
    for isEnded in [false, true] {
      var machine = machine(isEnded ? Self.apicv.with(.emptyServiceEnded) : Self.apicv)
      // A level-triggered pin of vector 0, whose interrupt vCPU 0 has had and lost.
      var entries = (0..<24).map { _ in RedirectionEntry.masked }
      entries[20] = RedirectionEntry(rawValue: 0x8000)
      entries[20].remoteIRR = true
      machine.setIOAPIC(id: 0, selected: 0, requests: 0, entries: entries)
      var page = machine.localAPICState(0)
      page.triggerModes = [0]
      same(machine.setLocalAPICState(0, page, at: Moment(0)), true)
      machine.enter(0)
      same(machine.guestWriteMSR(0, LocalAPICRegister.endOfInterrupt.msr, 0, at: Moment(0)), true)
      #expect(machine.ioapic[20].remoteIRR != isEnded)
    }
  }

  @Test func `what a refused entry was to inject is injected at the next, behind an NMI`() {
    for isKept in [false, true] {
      var machine = machine(isKept ? Self.intel.with(.eventKeptByRefusedEntry) : Self.intel)
      same(machine.send(MSIMessage(vector: 0x45, destination: .physical(0))), .delivered(1))
      let before = machine.localAPICs[0].processor
      let taken = machine.takeInterrupt(0)
      #expect(taken == 0x45)
      machine.keepEvent(0, taken, before: before)
      #expect(machine.localAPICs[0].page.inService == [0x45])
      machine.signalNMI(0)
      same(machine.takeInterrupt(0), 2)
      same(machine.returnFromHandler(0), true)
      same(machine.takeInterrupt(0), isKept ? 0x45 : nil)
      same(machine.returnFromHandler(0), true)
      same(machine.takeInterrupt(0), nil)
    }
  }

  @Test func `on AMD a restored TPR loses its subclass at an exit, unless it holds an interrupt back`() {
    for isHeldBack in [false, true] {
      var machine = machine(Deviations.kvm.with(.taskPriorityFromCR8AtExit))
      var page = machine.localAPICState(0)
      page.taskPriority = 0x4f
      if isHeldBack { page.interruptRequest = [0x40] }
      same(machine.setLocalAPICState(0, page, at: Moment(0)), true)
      machine.leave(0)
      #expect(machine.localAPICs[0].page.taskPriority == (isHeldBack ? 0x4f : 0x40))
    }
  }

  @Test func `a pin's interrupt is in hand where the LDR of a set ID is its destination, and not the vCPU's own`() {
    for destination: UInt32 in [1, 2] {
      var machine = machine(Deviations.kvm.with(.identifierSettable))
      var entries = (0..<24).map { _ in RedirectionEntry.masked }
      entries[8] = RedirectionEntry(rawValue: UInt64(destination) << 56 | 0x850)
      machine.setIOAPIC(id: 0, selected: 0, requests: 0, entries: entries)
      // vCPU 1 with the ID of vCPU 0, and the vector of the RTC's pin in its IRR.
      var page = machine.localAPICState(1)
      page[.id] = 0
      page.interruptRequest = [0x50]
      same(machine.setLocalAPICState(1, page, at: Moment(0)), true)
      // The PIC takes the line too.
      same(machine.setLine(8, to: true), .delivered(destination == 1 ? 1 : 2))
    }
  }

  @Test func `a halt ends by what KVM finds in service, not by what the processor takes to be`() {
    for (isStale, isInService) in [(true, true), (true, false), (false, true)] {
      let deviations = isStale ? Self.apicv.with(.serviceVectorStale) : Self.apicv.without(.serviceVectorStale)
      var machine = machine(deviations)
      machine.setActivity(0, .halted)
      // APICv goes and comes back with an interrupt in service.
      let disabled = APICBase(isBootstrapProcessor: true, mode: .disabled).rawValue
      same(machine.writeMSR(0, MSR.apicBase, disabled, byHost: true, at: Moment(0)), true)
      var page = machine.localAPICState(0)
      // Bits 80 and 81 of the ISR and the IRR are 16 and 17 of their third words.
      page.registers[0x120 / 4] = isInService ? 1 << 16 : 0
      page.registers[0x220 / 4] = 1 << 17
      same(machine.setLocalAPICState(0, page, at: Moment(0)), true)
      let enabled = APICBase(isBootstrapProcessor: true, mode: .x2APIC).rawValue
      same(machine.writeMSR(0, MSR.apicBase, enabled, byHost: true, at: Moment(0)), true)
      same(machine.resume(0), !isInService)
    }
  }
}
