import APIC
import ReferenceModel
import Testing

/// The rules of IOAPIC, PIC and PIT, as their data sheets have them.
struct ChipRuleTests {
  private func machine(_ entry: RedirectionEntry, pin: Int = 20) -> ReferenceMachine {
    var machine = ReferenceMachine(ReferenceMachine.Configuration(vcpus: 1, deviations: .none))
    same(
      machine.writeMSR(
        0, MSR.apicBase, APICBase(isBootstrapProcessor: true, mode: .x2APIC).rawValue, byHost: false, at: Moment(0)),
      true)
    same(machine.writeMSR(0, LocalAPICRegister.spurious.msr, 0x1ff, byHost: false, at: Moment(0)), true)
    let register = IOAPICRegister.redirectionLow(pin: pin).rawValue
    machine.writeIOAPIC(UInt32(register) + 1, at: IOAPIC.registerSelectOffset)
    machine.writeIOAPIC(entry.high, at: IOAPIC.windowOffset)
    machine.writeIOAPIC(UInt32(register), at: IOAPIC.registerSelectOffset)
    machine.writeIOAPIC(entry.low, at: IOAPIC.windowOffset)
    return machine
  }

  @Test func `an edge is sent once, and merged while the line stays high`() {
    var machine = machine(RedirectionEntry(vector: 0x40, destination: .physical(0)))
    same(machine.setLine(20, to: true), .delivered(1))
    same(machine.setLine(20, to: true), .coalesced)
    same(machine.setLine(20, to: false), .delivered(1))
    same(machine.setLine(20, to: true), .delivered(1))
  }

  @Test func `a level is sent again at the EOI while it stays high`() {
    var machine = machine(RedirectionEntry(vector: 0x40, destination: .physical(0), triggerMode: .level))
    same(machine.setLine(20, to: true), .delivered(1))
    #expect(machine.ioapic[20].remoteIRR)
    same(machine.takeInterrupt(0), 0x40)
    #expect(machine.localAPICs[0].page.triggerModes.contains(0x40))
    same(machine.writeMSR(0, LocalAPICRegister.endOfInterrupt.msr, 0, byHost: false, at: Moment(0)), true)
    #expect(machine.localAPICs[0].page.interruptRequest == [0x40])
    same(machine.setLine(20, to: false), .delivered(1))
    same(machine.takeInterrupt(0), 0x40)
    same(machine.writeMSR(0, LocalAPICRegister.endOfInterrupt.msr, 0, byHost: false, at: Moment(0)), true)
    #expect(!machine.ioapic[20].remoteIRR)
    #expect(machine.localAPICs[0].page.interruptRequest.isEmpty)
  }

  @Test func `a masked pin sends nothing, and an active-low pin is asserted by a low line`() {
    var machine = machine(RedirectionEntry(vector: 0x40, destination: .physical(0), isMasked: true))
    same(machine.setLine(20, to: true), .ignored)
    machine = self.machine(RedirectionEntry(vector: 0x40, destination: .physical(0), polarity: .activeLow))
    same(machine.setLine(20, to: true), .delivered(1))
    #expect(machine.localAPICs[0].page.interruptRequest.isEmpty)
    same(machine.setLine(20, to: false), .delivered(1))
    #expect(machine.localAPICs[0].page.interruptRequest == [0x40])
  }

  @Test func `the PIC serves the highest line, and the slave through line 2`() {
    var pic = ReferencePIC()
    for (chip, base) in [(PIC.Chip.master, UInt8(0x20)), (.slave, 0x28)] {
      pic.write(PIC.InitializationCommand1().rawValue, to: chip.commandPort)
      pic.write(base, to: chip.dataPort)
      pic.write(chip.cascade, to: chip.dataPort)
      pic.write(PIC.InitializationCommand4().rawValue, to: chip.dataPort)
    }
    same(pic.setLine(5, source: 0, to: true), .delivered(1))
    same(pic.setLine(9, source: 0, to: true), .delivered(1))
    #expect(pic.output)
    same(pic.acknowledge(), 0x29)
    // Line 2 is in service, so line 5 waits for both EOIs.
    #expect(!pic.output)
    pic.write(PIC.OperationCommand.endOfInterrupt.rawValue, to: PIC.Chip.slave.commandPort)
    pic.write(PIC.OperationCommand.endOfInterrupt.rawValue, to: PIC.Chip.master.commandPort)
    same(pic.acknowledge(), 0x25)
    // The request is gone: line 7's vector, and nothing is in service for it.
    pic.write(PIC.OperationCommand.endOfInterrupt.rawValue, to: PIC.Chip.master.commandPort)
    same(pic.acknowledge(), 0x27)
    #expect(pic.master.isr == 0)
  }

  @Test func `the PIT counts down from what was written, low byte first`() {
    var counter = ReferencePITCounter()
    counter.control(PIT.Command(.speaker, mode: .rateGenerator), at: 0)
    counter.write(0xe8, at: 0)
    counter.write(0x03, at: 0)
    #expect(counter.count == 1000)
    #expect(counter.value(at: 1) == 999)
    #expect(counter.value(at: 1000) == 1000)
    #expect(!counter.output(at: 999))
    counter.control(PIT.Command.latch(.speaker), at: 744)
    same(counter.read(at: 800), 0x00)
    same(counter.read(at: 900), 0x01)
    counter.control(PIT.Command(.speaker, mode: .squareWave), at: 0)
    counter.write(0, at: 0)
    counter.write(0, at: 0)
    #expect(counter.count == 65_536)
    #expect(counter.output(at: 32_767))
    #expect(!counter.output(at: 32_768))
  }

  @Test func `a GSI that leads nowhere is ignored, and one to two chips adds up`() {
    var machine = machine(RedirectionEntry(vector: 0x40, destination: .physical(0)), pin: 5)
    same(machine.setLine(4000, to: true), .ignored)
    same(machine.setLine(5, to: true), .delivered(2))
    #expect(Deviation.allCases.allSatisfy { !$0.function.isEmpty && !$0.versions.isEmpty })
  }
}
