import APIC
import KVM
import SystemPackage
import Testing

/// Code bytes in, exits out.
@Suite(.needsKVM) struct RunTests {
  @Test func `a byte written to a port, then a halt`() throws {
    // mov al, 0x2a; out 0x80, al; hlt
    let machine = try TinyMachine(code: [0xb0, 0x2a, 0xe6, 0x80, 0xf4])
    #expect(try machine.vcpu.run() == .io(PortAccess(direction: .write, port: 0x80, width: 1, value: 0x2a)))
    #expect(try machine.vcpu.run() == .halt)
  }

  @Test func `a port read gets the answer, in its width`() throws {
    // in ax, 0x60; out 0x61, ax
    let machine = try TinyMachine(code: [0xe5, 0x60, 0xe7, 0x61])
    #expect(try machine.vcpu.run() == .io(PortAccess(direction: .read, port: 0x60, width: 2)))
    machine.vcpu.completePortRead(0xdead_beef)
    #expect(try machine.vcpu.run() == .io(PortAccess(direction: .write, port: 0x61, width: 2, value: 0xbeef)))
  }

  @Test func `a string write hands out every byte`() throws {
    // mov si, 0; mov cx, 3; mov dx, 0x80; cld; rep outsb; hlt
    let machine = try TinyMachine(code: [0xbe, 0, 0, 0xb9, 3, 0, 0xba, 0x80, 0, 0xfc, 0xf3, 0x6e, 0xf4])
    try machine.memory.mapping.copy(from: ([1, 2, 3] as [UInt8]).span, at: 0)
    var written: [UInt8] = []
    while case .io(let access) = try machine.vcpu.run() {
      #expect(access.port == 0x80)
      machine.vcpu.withPortData { data in
        for index in data.indices { written.append(data[index]) }
      }
    }
    #expect(written == [1, 2, 3])
  }

  @Test func `memory that is not there is read and written through exits`() throws {
    // mov ax, 0x1000; mov ds, ax; mov ax, [0x20]; mov [0x24], al
    let machine = try TinyMachine(code: [0xb8, 0x00, 0x10, 0x8e, 0xd8, 0xa1, 0x20, 0x00, 0xa2, 0x24, 0x00])
    #expect(try machine.vcpu.run() == .mmio(MMIOAccess(direction: .read, address: 0x10020, length: 2)))
    machine.vcpu.completeMMIORead(0x1234)
    #expect(
      try machine.vcpu.run() == .mmio(MMIOAccess(direction: .write, address: 0x10024, length: 1, value: 0x34)))
  }

  @Test func `an exit request ends a guest that never leaves, and lasts until it is taken back`() throws {
    // out 0x80, al; jmp $
    let machine = try TinyMachine(code: [0xe6, 0x80, 0xeb, 0xfe])
    #expect(try machine.vcpu.run() == .io(PortAccess(direction: .write, port: 0x80, width: 1)))
    machine.vcpu.requestExit()
    #expect(machine.vcpu.isExitRequested)
    #expect(try machine.vcpu.run() == .interrupted)
    #expect(try machine.vcpu.run() == .interrupted)
    machine.vcpu.clearExitRequest()
    #expect(!machine.vcpu.isExitRequested)
  }

  @Test func `an application processor waits for SIPI`() throws {
    let vm = try KVM.open().createVM()
    try vm.createIRQChip()
    _ = try vm.createVCPU(id: 0)
    let second = try vm.createVCPU(id: 1)
    #expect(try second.mpState() == .uninitialized)
    second.requestExit()
    let exit = try second.run()
    #expect(exit == .interrupted || exit == .uninitialized)
  }

  @Test(.enabled(if: Host.has(.userSpaceMSR))) func `an unknown MSR is read from user space, or refused there`() throws
  {
    // mov ecx, 0x12345; rdmsr; out 0x80, al; rdmsr
    let code: [UInt8] = [0x66, 0xb9, 0x45, 0x23, 0x01, 0x00, 0x0f, 0x32, 0xe6, 0x80, 0x0f, 0x32]
    let machine = try TinyMachine(code: code) { try $0.exitOnMSRAccess([.unknown, .invalid]) }
    // Vector 13, #GP, leads to: out 0x81, al
    try machine.memory.mapping.store(UInt32(0x200), at: 13 * 4)
    try machine.memory.mapping.copy(from: ([0xe6, 0x81] as [UInt8]).span, at: 0x200)
    #expect(try machine.vcpu.run() == .readMSR(MSRAccess(reason: .unknown, index: 0x12345)))
    machine.vcpu.completeMSRRead(0x77)
    #expect(try machine.vcpu.run() == .io(PortAccess(direction: .write, port: 0x80, width: 1, value: 0x77)))
    #expect(try machine.vcpu.run() == .readMSR(MSRAccess(reason: .unknown, index: 0x12345)))
    machine.vcpu.completeMSRRead(nil)
    #expect(try machine.vcpu.run() == .io(PortAccess(direction: .write, port: 0x81, width: 1, value: 0x77)))
  }

  @Test(.enabled(if: Host.has(.msrFilter))) func `a filtered MSR write arrives in user space`() throws {
    // mov ecx, 0x10; wrmsr; out 0x80, al
    let code: [UInt8] = [0x66, 0xb9, 0x10, 0x00, 0x00, 0x00, 0x0f, 0x30, 0xe6, 0x80]
    let machine = try TinyMachine(code: code) { vm in
      try vm.exitOnMSRAccess(.filter)
      try vm.setMSRFilter(
        MSRFilter(ranges: [
          MSRFilter.Range(base: 0x174, allows: [true, true, true]),
          MSRFilter.Range(base: 0xf, allows: [true, false], reads: false),
        ]))
    }
    #expect(try machine.vcpu.run() == .writeMSR(MSRAccess(reason: .filter, index: 0x10)))
    machine.vcpu.completeMSRWrite(accepted: true)
    #expect(try machine.vcpu.run() == .io(PortAccess(direction: .write, port: 0x80, width: 1)))
  }

  @Test func `single-stepping stops after each instruction`() throws {
    // nop; nop
    let machine = try TinyMachine(code: [0x90, 0x90, 0xf4])
    try machine.vcpu.setGuestDebug([.enable, .singleStep])
    for step in 1...2 {
      guard case .debug(let debug) = try machine.vcpu.run() else {
        Issue.record("no debug exit")
        return
      }
      #expect(debug.exception == 1)
      #expect(debug.pc == UInt64(TinyMachine.entry + step))
    }
  }

  @Test func `answers to an exit of another kind change nothing`() throws {
    let machine = try TinyMachine(code: [0xf4])
    #expect(try machine.vcpu.run() == .halt)
    machine.vcpu.completePortRead(1)
    machine.vcpu.completeMMIORead(1)
    machine.vcpu.completeMSRRead(1)
    #expect(machine.vcpu.withPortData { $0.count } == nil)
  }

  @Test func `statistics count the exits by name`() throws {
    let machine = try TinyMachine(code: [0xe6, 0x80, 0xe6, 0x80, 0xf4])
    let statistics = try machine.vcpu.openStatistics()
    let before = try statistics.read()
    for _ in 0..<2 { _ = try machine.vcpu.run() }
    let delta = try statistics.read().delta(since: before)
    #expect(try #require(delta["exits"]) >= 2)
    #expect(before["no_such_statistic"] == nil)
    #expect(before.names.contains("irq_injections"))
    #expect(before["halt_poll_success_hist"] == nil)
    #expect(try #require(before.histogram("halt_poll_success_hist")).count > 1)
    #expect(try machine.vm.statistics().names.contains("remote_tlb_flush"))
  }

  @Test func `an exit reads as a sentence`() {
    #expect("\(Exit.io(PortAccess(direction: .write, port: 0x80, width: 1, value: 0x2a)))" == "out 0x80, 0x2a (1 byte)")
    #expect("\(Exit.io(PortAccess(direction: .read, port: 0x60, width: 2, count: 3)))" == "in 0x60 (2 bytes, 3 times)")
    #expect(
      "\(Exit.mmio(MMIOAccess(direction: .read, address: 0xfee0_0030, length: 4)))" == "read of 4 bytes at 0xfee00030")
    #expect(
      "\(Exit.internalError(InternalError(suberror: 1, data: [2], instruction: [0xcc])))"
        == "KVM_INTERNAL_ERROR_EMULATION, instruction cc")
  }
}
