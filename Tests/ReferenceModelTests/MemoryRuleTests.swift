import APIC
import ReferenceModel
import Testing

/// What accesses by memory and ports do, with the widths that they are meant for and with others.
struct MemoryRuleTests {
  private func machine(_ deviations: Deviations = .none) -> ReferenceMachine {
    var machine = ReferenceMachine(ReferenceMachine.Configuration(vcpus: 2, deviations: deviations))
    machine.writePage(0, 0x1ff, at: 0xf0, width: 4, at: Moment(0))
    return machine
  }

  @Test func `a register takes 32 bits at its beginning and nothing else`() {
    var machine = machine()
    machine.writePage(0, 0x40, at: 0x80, width: 4, at: Moment(0))
    #expect(machine.localAPICs[0].page.taskPriority == 0x40)
    for (offset, width) in [(UInt64(0x80), 1), (0x80, 2), (0x80, 8), (0x84, 4), (0x81, 1), (0x480, 4)] {
      machine.writePage(0, 0, at: offset, width: width, at: Moment(0))
      #expect(machine.localAPICs[0].page.taskPriority == 0x40)
    }
    #expect(machine.metRules.contains(.pageAccessIgnored))
  }

  @Test func `a read within the first four bytes gives that part, and what is undefined may be anything`() {
    var machine = machine()
    same(machine.readPage(0, at: 0xf0, width: 4, at: Moment(0)), 0x1ff...0x1ff)
    same(machine.readPage(0, at: 0xf1, width: 1, at: Moment(0)), 1...1)
    same(machine.readPage(0, at: 0xf0, width: 2, at: Moment(0)), 0x1ff...0x1ff)
    same(machine.readPage(0, at: 0xf3, width: 2, at: Moment(0)), 0...0xffff)
    same(machine.readPage(0, at: 0xf4, width: 4, at: Moment(0)), 0...0xffff_ffff)
    same(machine.readPage(0, at: 0x40, width: 1, at: Moment(0)), 0...0xff)
    same(machine.readPage(0, at: 0x800, width: 8, at: Moment(0)), 0...UInt64.max)
  }

  @Test func `outside of xAPIC mode there is nothing at the page`() {
    var machine = machine()
    let base = APICBase(isBootstrapProcessor: true, mode: .x2APIC)
    same(machine.writeMSR(0, MSR.apicBase, base.rawValue, byHost: false, at: Moment(0)), true)
    machine.writePage(0, 0x40, at: 0x80, width: 4, at: Moment(0))
    #expect(machine.localAPICs[0].page.taskPriority == 0)
    same(machine.readPage(0, at: 0xf0, width: 2, at: Moment(0)), 0xffff...0xffff)
  }

  @Test func `the IOAPIC takes what is missing of 32 bits for 0`() {
    var machine = machine()
    machine.writeIOAPIC(0x38, at: 0, width: 1)
    machine.writeIOAPIC(0x1_5640, at: 0x10, width: 4)
    same(machine.readIOAPIC(at: 0x10, width: 4), 0x1_0640)
    same(machine.readIOAPIC(at: 0x10, width: 1), 0x40)
    machine.writeIOAPIC(0xffff_ff41, at: 0x10, width: 2)
    same(machine.readIOAPIC(at: 0x10, width: 8), 0xaf41)
    same(machine.readIOAPIC(at: 0x14, width: 4), 0)
  }

  @Test func `a write to an entry makes those learn its EOIs whom it is meant for, and was`() {
    var machine = machine(.kvm)
    machine.enter(0)
    machine.enter(1)
    #expect(!machine.localAPICs[1].processor.hasScanRequest)
    machine.writeIOAPIC(0x39, at: 0, width: 4)
    machine.writeIOAPIC(1 << 24, at: 0x10, width: 4)
    // From vCPU 0 to vCPU 1.
    #expect(machine.localAPICs[0].processor.hasScanRequest)
    #expect(machine.localAPICs[1].processor.hasScanRequest)
    machine.enter(0)
    machine.enter(1)
    machine.writeIOAPIC(0x38, at: 0, width: 4)
    machine.writeIOAPIC(0x8040, at: 0x10, width: 4)
    #expect(!machine.localAPICs[0].processor.hasScanRequest)
    #expect(machine.localAPICs[1].processor.hasScanRequest)
  }

  @Test func `KVM takes the former destination of an entry in its new mode, and who was reached learns nothing`() {
    for isKVM in [false, true] {
      var machine = machine(isKVM ? .kvm : .none)
      machine.writeIOAPIC(0x38, at: 0, width: 4)
      machine.writeIOAPIC(0x8040, at: 0x10, width: 4)
      machine.enter(0)
      // Logical instead of physical, to nobody.
      machine.writeIOAPIC(0x8840, at: 0x10, width: 4)
      #expect(machine.localAPICs[0].processor.hasScanRequest != isKVM)
    }
  }

  @Test func `the PICs take single bytes`() {
    var machine = machine()
    machine.writePorts(0xfb, to: 0x21, width: 1)
    same(machine.readPorts(0x21, width: 1), 0xfb)
    machine.writePorts(0xffff, to: 0xa0, width: 2)
    same(machine.readPorts(0xa0, width: 2), 0)
    same(machine.readPorts(0xa1, width: 1), 0)
  }
}
