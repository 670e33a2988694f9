import APIC
import KVM
import SystemPackage
import Testing

@Suite(.needsKVM) struct StateTests {
  let vm: VirtualMachine
  let vcpu: VCPU

  init() throws {
    vm = try KVM.open().createVM()
    try vm.createIRQChip()
    vcpu = try vm.createVCPU(id: 0)
  }

  @Test func `general-purpose registers come back as they were set`() throws {
    var registers = Registers()
    (registers.rax, registers.r15, registers.rip, registers.rflags) = (1, 2, 0x1000, 0x202)
    try vcpu.setRegisters(registers)
    #expect(try vcpu.registers() == registers)
  }

  @Test func `special registers come back as they were set, by either call`() throws {
    var special = try vcpu.specialRegisters()
    special.cs.selector = 0x10
    special.gdt = DescriptorTable(base: 0x5000, limit: 0x2f)
    special.cr3 = 0x4000
    try vcpu.setSpecialRegisters(special)
    #expect(try vcpu.specialRegisters() == special)
    var second = try vcpu.specialRegisters2()
    #expect(second.gdt == special.gdt)
    second.cr3 = 0x8000
    try vcpu.setSpecialRegisters2(second)
    #expect(try vcpu.specialRegisters().cr3 == 0x8000)
  }

  @Test func `an impossible mix of control registers is refused`() throws {
    try vcpu.setCPUID(vm.system.supportedCPUID())
    var special = try vcpu.specialRegisters()
    special.cr0 |= 1 << 31
    special.cr0 &= ~1
    let error = try #require(throws: KVMError.self) { try vcpu.setSpecialRegisters(special) }
    #expect(error.call == .setSregs)
    #expect(error.hint?.contains("contradict") == true)
  }

  @Test func `debug registers come back as they were set`() throws {
    var debug = try vcpu.debugRegisters()
    debug.dr0 = 0x1234
    debug.dr7 = 0x401
    try vcpu.setDebugRegisters(debug)
    #expect(try vcpu.debugRegisters() == debug)
  }

  @Test func `MSRs are read up to the first that KVM refuses`() throws {
    let answer = try vcpu.msrs([0x1b, 0x7fff_0000, 0x10])
    #expect(answer.entries == [MSREntry(index: 0x1b, value: 0xfee0_0900)])
    #expect(answer.refused == 0x7fff_0000)
    let written = try vcpu.setMSRs([MSREntry(index: 0x174, value: 8), MSREntry(index: 0x7fff_0000, value: 1)])
    #expect(written.entries == [MSREntry(index: 0x174, value: 8)])
    #expect(written.refused == 0x7fff_0000)
  }

  @Test func `CPUID answers what was set`() throws {
    var leaves = try vm.system.supportedCPUID()
    // A part of the processor's name, which no KVM has a reason to change.
    let name = try #require(leaves.firstIndex { $0.function == 0x8000_0002 })
    leaves[name].eax ^= 0x0101
    try vcpu.setCPUID(leaves)
    let read = try vcpu.cpuid()
    #expect(read.first { $0.function == 0x8000_0002 } == leaves[name])
    // kvm_pvm knows no tiles: of a processor that has them it lists both leaves, and does not keep them.
    let tiles: Set<UInt32> = HostSurvey.take().backEnd == .kvmPVM ? [0x1d, 0x1e] : []
    func kept(_ leaves: [CPUIDEntry]) -> [UInt32] { leaves.map(\.function).filter { !tiles.contains($0) } }
    #expect(kept(read) == kept(leaves))
    #expect(read.first { $0.function == 0 } == leaves.first { $0.function == 0 })
  }

  @Test func `x87, SSE and XSAVE state come back as they were set`() throws {
    try vcpu.setCPUID(vm.system.supportedCPUID())
    var fpu = try vcpu.fpu()
    fpu.xmm[0] = 0x5a
    fpu.fpr[127] = 0
    fpu.mxcsr = 0x1f80
    try vcpu.setFPU(fpu)
    #expect(try vcpu.fpu().xmm[0] == 0x5a)
    var area = try vcpu.xsave()
    #expect(area.count >= 4096)
    area[512] |= 2  // XSTATE_BV: SSE is not in its initial state (SDM volume 1, section 13.4.2)
    area[160] = 0xa5  // XMM0 in the legacy region (SDM volume 1, table 10-2)
    try vcpu.setXSAVE(area)
    #expect(try vcpu.xsave()[160] == 0xa5)
    #expect(try vcpu.fpu().xmm[0] == 0xa5)
    #expect(throws: KVMError(call: .setXSAVE, errno: .invalidArgument, detail: "3 bytes")) {
      try vcpu.setXSAVE([1, 2, 3])
    }
  }

  @Test(.enabled(if: Host.has(.xcrs))) func `XCR0 comes back as it was set`() throws {
    try vcpu.setCPUID(vm.system.supportedCPUID())
    let registers = try vcpu.extendedControlRegisters()
    #expect(registers.first?.number == 0)
    try vcpu.setExtendedControlRegisters([ExtendedControlRegister(number: 0, value: 3)])
    #expect(try vcpu.extendedControlRegisters().first?.value == 3)
    #expect(throws: KVMError(call: .setXCRs, errno: .argListTooLong)) {
      try vcpu.setExtendedControlRegisters(
        [ExtendedControlRegister](repeating: ExtendedControlRegister(number: 0, value: 1), count: 17))
    }
  }

  @Test func `an NMI that was sent is among the events`() throws {
    #expect(try vcpu.events().nmi.pending == 0)
    try vcpu.nmi()
    var events = try vcpu.events()
    #expect(events.nmi.pending == 1)
    events.nmi.pending = 0
    events.interrupt.shadow = 2
    try vcpu.setEvents(events)
    #expect(try vcpu.events() == events)
  }

  @Test func `a vCPU halts, and runs, as it is told`() throws {
    try vcpu.setMPState(.halted)
    #expect(try vcpu.mpState() == .halted)
    try vcpu.setMPState(.runnable)
    #expect(try vcpu.mpState() == .runnable)
  }

  @Test func `the clock goes on from where it was set`() throws {
    try vm.setClock(ClockState(nanoseconds: 5_000_000_000_000))
    let clock = try vm.clock()
    #expect(clock.nanoseconds >= 5_000_000_000_000)
    #expect(clock.nanoseconds < 5_600_000_000_000)
  }

  @Test func `the TSC frequency is the machine's`() throws {
    #expect(try vcpu.tscFrequency() > 100_000)
    #expect(try vcpu.tscFrequency() == vm.tscFrequency())
  }

  @Test func `a guest without kvmclock cannot be told of a pause`() throws {
    #expect(throws: KVMError(call: .kvmclockCtrl, errno: .invalidArgument)) { try vcpu.notifyPaused() }
  }

  @Test func `a signal mask can be set and cleared`() throws {
    try vcpu.setSignalMask(1 << 9)
    try vcpu.setSignalMask(nil)
  }

  @Test func `without paging every address is its own translation`() throws {
    #expect(try vcpu.translate(0x1234) == 0x1234)
  }

  @Test func `a nested state that is cut short is refused`() throws {
    #expect(throws: KVMError(call: .setNestedState, errno: .invalidArgument, detail: "5 bytes")) {
      try vcpu.setNestedState([1, 2, 3, 4, 5])
    }
  }

  @Test func `an id is given once`() throws {
    #expect(throws: KVMError(call: .createVCPU, errno: .fileExists, detail: "vCPU 0")) { _ = try vm.createVCPU(id: 0) }
  }

  @Test func `a capability with too many arguments is refused before KVM sees it`() throws {
    #expect(throws: KVMError(call: .enableCap, errno: .argListTooLong, detail: "KVM_CAP_X2APIC_API")) {
      try vm.enable(.x2APICAPI, 1, 2, 3, 4, 5)
    }
  }

  @Test func `as many MSRs as the limit says go in one call, and one more does not`() throws {
    let indices = [UInt32](repeating: MSR.apicBase, count: VCPU.msrLimit + 1)
    #expect(try vcpu.msrs(Array(indices.dropLast())).entries.count == VCPU.msrLimit)
    let error = try #require(throws: KVMError.self) { try vcpu.msrs(indices) }
    #expect(error.errno == .argListTooLong)
  }
}
