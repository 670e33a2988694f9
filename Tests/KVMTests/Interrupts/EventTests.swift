import APIC
import KVM
import SystemPackage
import Testing

@Suite struct EventDescriptorTests {
  @Test func `an event adds up until it is read`() throws {
    let event = try EventDescriptor(initial: 1)
    try event.write(2)
    try event.write()
    #expect(try event.read() == 4)
    #expect(try event.read() == 0)
  }

  @Test func `an event that is full says so`() throws {
    let event = try EventDescriptor()
    try event.write(.max - 1)
    #expect(throws: KVMError(call: .write, errno: .resourceTemporarilyUnavailable)) { try event.write() }
    #expect(throws: KVMError(call: .write, errno: .invalidArgument)) { try event.write(.max) }
  }
}

@Suite(.needsKVM) struct IRQFDTests {
  @Test func `a write to an event raises the message that its GSI is routed to`() throws {
    let vm = try KVM.open().createVM()
    try vm.createIRQChip()
    let vcpu = try vm.createEnabledVCPU(id: 0)
    try vm.setGSIRouting([.msi(gsi: 30, MSIMessage(vector: 0x55, destination: .physical(0)))])
    let event = try EventDescriptor()
    try vm.assignIRQFD(event, gsi: 30)
    #expect(throws: KVMError(call: .irqFD, errno: .resourceBusy, detail: "GSI 30")) {
      try vm.assignIRQFD(event, gsi: 30)
    }
    try event.write()
    // Deassigning waits for what was written before.
    try vm.deassignIRQFD(event, gsi: 30)
    #expect(try vcpu.localAPIC().interruptRequest == [0x55])
  }

  @Test func `a machine keeps the events of its irqfds open`() throws {
    let vm = try KVM.open().createVM()
    try vm.createIRQChip()
    var event: EventDescriptor? = try EventDescriptor()
    weak let kept = event
    try vm.assignIRQFD(try #require(event), gsi: 30)
    event = nil
    try vm.deassignIRQFD(try #require(kept), gsi: 30)
    #expect(kept == nil)
  }

  @Test func `a level-triggered event is resampled at the guest's EOI`() throws {
    let code: [UInt8] = [
      0xb0, 0x11, 0xe6, 0x20,  // ICW1 to the master PIC
      0xb0, 0x20, 0xe6, 0x21,  // ICW2: IRQ 0 is vector 0x20
      0xb0, 0x04, 0xe6, 0x21,  // ICW3
      0xb0, 0x01, 0xe6, 0x21,  // ICW4
      0xb0, 0xef, 0xe6, 0x21,  // mask all but IRQ 4
      0xe6, 0x80,  // out 0x80, al: ready
      0xfb, 0xb9, 0xff, 0xff,  // sti; mov cx, 0xffff
      0xe2, 0xfe,  // loop $
      0xe6, 0x82,  // out 0x82, al: nothing came
    ]
    let machine = try TinyMachine(code: code) { try $0.createIRQChip() }
    try machine.memory.mapping.store(UInt32(0x200), at: 0x24 * 4)
    // mov al, 0x20; out 0x20, al: EOI; out 0x81, al
    try machine.memory.mapping.copy(from: ([0xb0, 0x20, 0xe6, 0x20, 0xe6, 0x81] as [UInt8]).span, at: 0x200)
    let event = try EventDescriptor()
    let resample = try EventDescriptor()
    try machine.vm.assignIRQFD(event, gsi: 4, resample: resample)
    #expect(try machine.vcpu.run() == .io(PortAccess(direction: .write, port: 0x80, width: 1, value: 0xef)))
    #expect(try resample.read() == 0)
    try event.write()
    #expect(try machine.vcpu.run() == .io(PortAccess(direction: .write, port: 0x81, width: 1, value: 0x20)))
    #expect(try resample.read() == 1)
  }
}

@Suite(.needsKVM) struct IOEventTests {
  @Test func `a port write signals an event instead of leaving the guest`() throws {
    // out 0x80, al; out 0x80, al; out 0x81, al
    let machine = try TinyMachine(code: [0xe6, 0x80, 0xe6, 0x80, 0xe6, 0x81])
    let event = try EventDescriptor()
    try machine.vm.assignIOEvent(event, at: .port(0x80), length: 1)
    #expect(try machine.vcpu.run() == .io(PortAccess(direction: .write, port: 0x81, width: 1)))
    #expect(try event.read() == 2)
  }

  @Test func `only the value that matches signals`() throws {
    // mov al, 1; out 0x80, al; mov al, 2; out 0x80, al
    let machine = try TinyMachine(code: [0xb0, 0x01, 0xe6, 0x80, 0xb0, 0x02, 0xe6, 0x80])
    let event = try EventDescriptor()
    try machine.vm.assignIOEvent(event, at: .port(0x80), length: 1, match: 1)
    #expect(try machine.vcpu.run() == .io(PortAccess(direction: .write, port: 0x80, width: 1, value: 2)))
    #expect(try event.read() == 1)
    try machine.vm.deassignIOEvent(event, at: .port(0x80), length: 1, match: 1)
    #expect(throws: KVMError.self) { try machine.vm.deassignIOEvent(event, at: .port(0x80), length: 1, match: 1) }
  }

  @Test func `an MMIO write of any length signals`() throws {
    // mov ax, 0x1000; mov ds, ax; mov [0x20], al; mov [0x20], ax; out 0x80, al
    let machine = try TinyMachine(
      code: [0xb8, 0x00, 0x10, 0x8e, 0xd8, 0xa2, 0x20, 0x00, 0xa3, 0x20, 0x00, 0xe6, 0x80])
    let event = try EventDescriptor()
    try machine.vm.assignIOEvent(event, at: .mmio(0x10020))
    #expect(try machine.vcpu.run() == .io(PortAccess(direction: .write, port: 0x80, width: 1)))
    #expect(try event.read() == 2)
  }
}
