import APIC
import KVM
import SystemPackage
import Testing

@Suite(.needsKVM) struct ChipTests {
  @Test func `the local APIC comes back as it was set`() throws {
    let vm = try KVM.open().createVM()
    try vm.createIRQChip()
    let vcpu = try vm.createVCPU(id: 0)
    var state = try vcpu.localAPIC()
    state.spurious = SpuriousInterruptVectorRegister(vector: 0xee)
    state.taskPriority = 0x40
    state.interruptRequest = [0x31, 0xfe]
    try vcpu.setLocalAPIC(state)
    let read = try vcpu.localAPIC()
    #expect(read.spurious.vector == 0xee)
    #expect(read.taskPriority == 0x40)
    #expect(read.interruptRequest == [0x31, 0xfe])
    #expect(read.nextDeliverable(mode: .xAPIC) == 0xfe)
  }

  @Test func `a vCPU without an irqchip has no local APIC to read`() throws {
    let vcpu = try KVM.open().createVM().createVCPU(id: 0)
    let error = try #require(throws: KVMError.self) { _ = try vcpu.localAPIC() }
    #expect(error.errno == .invalidArgument)
    #expect(error.hint?.contains("create the irqchip before the vCPU") == true)
  }

  @Test func `the IOAPIC's entries come back as they were set`() throws {
    let vm = try KVM.open().createVM()
    try vm.createIRQChip()
    var ioapic = try vm.ioapic()
    #expect(ioapic.entries.count == IOAPIC.pinCount)
    #expect(ioapic.entries.allSatisfy { $0.isMasked })
    ioapic.entries[3] = RedirectionEntry(rawValue: 0x0200_0000_0001_8042)
    ioapic.registerSelect = 0x10
    try vm.setIOAPIC(ioapic)
    #expect(try vm.ioapic() == ioapic)
  }

  @Test(arguments: [PIC.Chip.master, .slave]) func `a PIC comes back as it was set`(chip: PIC.Chip) throws {
    let vm = try KVM.open().createVM()
    try vm.createIRQChip()
    var pic = try vm.pic(chip)
    pic.irqBase = 0x28
    pic.imr = 0xa5
    pic.elcr = 0x20
    try vm.setPIC(chip, pic)
    #expect(try vm.pic(chip) == pic)
  }

  @Test func `the PIT comes back as it was set, and drops missed ticks if told`() throws {
    let vm = try KVM.open().createVM()
    try vm.createIRQChip()
    #expect(throws: KVMError(call: .reinjectControl, errno: .noSuchAddressOrDevice)) {
      try vm.setPITReinjection(false)
    }
    try vm.createPIT()
    try vm.setPITReinjection(false)
    var pit = try vm.pit()
    pit.channel2.count = 0x1234
    pit.channel2.mode = 3
    pit.speakerDataOn = true
    try vm.setPIT(pit)
    let read = try vm.pit()
    #expect(read.channel2.count == 0x1234)
    #expect(read.channel2.mode == 3)
    #expect(read.speakerDataOn)
  }

  @Test func `a split irqchip has no PIC, IOAPIC or PIT in the kernel`() throws {
    let vm = try KVM.open().createVM()
    try vm.createSplitIRQChip(pins: 24)
    #expect(throws: KVMError(call: .getIRQChip, errno: .noSuchAddressOrDevice, detail: "ioapic")) { try vm.ioapic() }
    #expect(throws: KVMError.self) { try vm.createPIT() }
    #expect(throws: KVMError(call: .createIRQChip, errno: .fileExists)) { try vm.createIRQChip() }
  }

  @Test func `the boot vCPU is the one that was chosen`() throws {
    let vm = try KVM.open().createVM()
    try vm.createIRQChip()
    try vm.setBootCPU(id: 1)
    #expect(try vm.createVCPU(id: 0).mpState() == .uninitialized)
    #expect(try vm.createVCPU(id: 1).mpState() == .runnable)
    let error = try #require(throws: KVMError.self) { try vm.setBootCPU(id: 0) }
    #expect(error.errno == .resourceBusy)
  }

  @Test(.enabled(if: Host.has(.apicBusCycles))) func `the APIC bus can be slower`() throws {
    let vm = try KVM.open().createVM()
    try vm.createIRQChip()
    try vm.setAPICBusCycle(nanoseconds: 40)
    #expect(try vm.check(.apicBusCycles) >= 1)
    #expect(throws: KVMError.self) { try vm.setAPICBusCycle(nanoseconds: 0) }
  }

  @Test func `TPR reports and the paravirtual TPR page can be switched on`() throws {
    let vm = try KVM.open().createVM()
    try vm.createIRQChip()
    let region = try GuestRegion(size: 4096)
    try vm.setMemoryRegion(slot: 0, guestAddress: 0, region: region)
    let vcpu = try vm.createVCPU(id: 0)
    try vcpu.setTPRReporting(true)
    try vcpu.setVAPICAddress(0x800)
    try vcpu.setVAPICAddress(0)
  }

  @Test func `KVM_INTERRUPT is refused while the PIC is in the kernel`() throws {
    let vm = try KVM.open().createVM()
    try vm.createIRQChip()
    let vcpu = try vm.createVCPU(id: 0)
    #expect(throws: KVMError(call: .interrupt, errno: .noSuchAddressOrDevice)) { try vcpu.interrupt(0x30) }
  }

  @Test func `an interrupt from a PIC in user space reaches the guest's handler`() throws {
    // sti; mov cx, 0xffff; loop $; out 0x82, al
    let machine = try TinyMachine(code: [0xfb, 0xb9, 0xff, 0xff, 0xe2, 0xfe, 0xe6, 0x82])
    try machine.memory.mapping.store(UInt32(0x200), at: 0x30 * 4)
    try machine.memory.mapping.copy(from: ([0xe6, 0x81] as [UInt8]).span, at: 0x200)
    machine.vcpu.requestInterruptWindow()
    #expect(try machine.vcpu.run() == .irqWindowOpen)
    #expect(machine.vcpu.exitConditions.isReadyForInterrupt)
    machine.vcpu.requestInterruptWindow(false)
    try machine.vcpu.interrupt(0x30)
    #expect(try machine.vcpu.specialRegisters().injectedInterrupt == [0x30])
    #expect(try machine.vcpu.run() == .io(PortAccess(direction: .write, port: 0x81, width: 1)))
  }
}
