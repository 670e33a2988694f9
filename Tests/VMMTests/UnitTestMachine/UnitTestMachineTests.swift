import KVM
import TestImages
import Testing

@testable import VMM

/// Multiboot guests on the unit tests' PC.
@Suite(.needsKVM) struct UnitTestMachineTests {
  private func run(_ code: Code, _ configure: (inout MachineConfiguration) -> Void = { _ in }) throws -> Run {
    try Run(MultibootImage(code: code.bytes).bytes, limit: .seconds(20)) {
      $0.become(UnitTestPlatform(), cpu: .unitTestDefault)
      configure(&$0)
    }
  }

  @Test func `a Multiboot guest finds a PC's memory map and its environment`() throws {
    var platform = UnitTestPlatform()
    platform.environment = Array("NAME=value\n".utf8)
    // mov [0x2004], ebx
    let run = try run(Code(.protected).then([0x89, 0x1d, 0x04, 0x20, 0, 0]).debugExit(0)) {
      $0.profile = .unitTest(platform)
    }
    let memory = run.machine.memory
    let information = UInt64(try memory.load(UInt32.self, at: 0x2004))
    #expect(try memory.load(UInt32.self, at: information) == 0x4d)
    let end = run.machine.layout.start
    #expect(try UInt64(memory.load(UInt32.self, at: information + 8)) == (end >> 10) - 1024)

    let map = UInt64(try memory.load(UInt32.self, at: information + 48))
    let entries = try (0..<UInt64(memory.load(UInt32.self, at: information + 44) / 24)).map { index in
      try [4, 12, 20].map { UInt64(try memory.load(UInt32.self, at: map + 24 * index + $0)) }
    }
    let top = UInt64(128 << 20)
    #expect(
      entries == [[0, 0xa_0000, 1], [0xa_0000, 0x6_0000, 2], [0x10_0000, end - 0x10_0000, 1], [end, top - end, 2]])

    #expect(try memory.load(UInt32.self, at: information + 20) == 1)
    let module = UInt64(try memory.load(UInt32.self, at: information + 24))
    let start = UInt64(try memory.load(UInt32.self, at: module))
    let size = Int(UInt64(try memory.load(UInt32.self, at: module + 4)) - start)
    #expect(try memory.read(size, at: start) == platform.environment)
  }

  @Test func `CPUID says what the model says`() throws {
    // mov eax, 1; cpuid; mov [0x2000], ecx
    let code = Code(.protected).loadEAX(1).then([0x0f, 0xa2, 0x89, 0x0d, 0x00, 0x20, 0, 0]).debugExit(0)
    func features(_ model: String) throws -> UInt32 {
      let cpu = try CPUModel(model)
      return try run(code) { $0.cpu = cpu }.machine.memory.load(UInt32.self, at: 0x2000)
    }
    #expect(try features("qemu64") >> 21 & 1 == 1)
    #expect(try features("qemu64,-x2apic") >> 21 & 1 == 0)
    #expect(try features("qemu64") >> 24 & 1 == 0)
    #expect(try features("qemu64,+tsc-deadline") >> 24 & 1 == 1)
  }

  @Test func `a write to a test line reaches the IOAPIC's pin`() throws {
    let run = try run(Code(.protected).out(1, to: 0x200e).debugExit(0))
    let state = try run.machine.vm.ioapic()
    #expect(state.irr >> 14 & 1 == 1)
  }

  @Test func `the in-kernel PIT is there when it is asked for, and without reinjection`() throws {
    let code = Code(.protected).out(0x34, to: 0x43).debugExit(0)
    let with = try run(code)
    #expect(throws: Never.self) { try with.machine.vm.pit() }
    let without = try run(code) {
      var platform = UnitTestPlatform()
      platform.hasPIT = false
      $0.profile = .unitTest(platform)
    }
    #expect(throws: KVMError.self) { try without.machine.vm.pit() }
  }

  @Test func `the alarm wakes a machine that sleeps, in real mode at its waking vector`() throws {
    // At 0x2000, for real mode: mov al, 0; out 0xf4, al. Put there by: mov dword [0x2000], ...
    let resume = Code(.real).debugExit(0).bytes.prefix(4)
    var code = Code(.protected).then([0xc7, 0x05, 0x00, 0x20, 0, 0] + resume)
    // mov dword [facs + 12], 0x2000
    code = code.then([0xc7, 0x05] + littleEndian(UInt32(ACPITables.facs + 12)) + littleEndian(UInt32(0x2000)))
    // An alarm at any second, minute and hour, switched on.
    for (register, value) in [(1, 0xc0), (3, 0xc0), (5, 0xc0), (0x0b, 0x22)] as [(UInt8, UInt8)] {
      code = code.out(register, to: 0x70).out(value, to: 0x71)
    }
    // mov dx, 0x604; mov ax, 0x2400; out dx, ax; then 1 to the debug exit, which nobody gets to
    code = code.then([0x66, 0xba, 0x04, 0x06, 0x66, 0xb8, 0x00, 0x24, 0x66, 0xef]).debugExit(1)
    #expect(try run(code).ending == "the guest wrote 0 to the debug exit")
  }

  @Test func `what no device claims reads as ones`() throws {
    // in eax, dx at 0x1234; mov [0x2000], eax
    let code = Code(.protected).input(from: 0x1234).then([0xed, 0xa3, 0x00, 0x20, 0, 0]).debugExit(0)
    #expect(try run(code).machine.memory.load(UInt32.self, at: 0x2000) == .max)
  }

  @Test func `an environment that is too large is refused`() throws {
    var configuration = MachineConfiguration()
    var platform = UnitTestPlatform()
    platform.environment = [UInt8](repeating: 0x20, count: UnitTestPlatform.environmentLimit + 1)
    configuration.become(platform, cpu: .unitTestDefault)
    #expect(throws: MachineError.self) {
      try Machine(
        configuration, image: GuestImage(name: "x", bytes: MultibootImage(code: [0xf4]).bytes), on: KVM.open(),
        console: Console())
    }
  }

  @Test func `a model decides on x2APIC`() throws {
    var configuration = MachineConfiguration()
    configuration.cpu = try CPUModel("qemu64,-x2apic")
    #expect(configuration.apic == .xAPIC)
    configuration.cpu = try CPUModel("host")
    #expect(configuration.apic == .x2APIC)
  }

  @Test func `only ids from 255 on ask for 32-bit ids`() {
    var configuration = MachineConfiguration()
    #expect(configuration.needs32BitIDs)
    configuration.become(UnitTestPlatform(), cpu: .unitTestDefault)
    #expect(!configuration.needs32BitIDs)
    configuration.vcpus = 256
    #expect(configuration.needs32BitIDs)
  }

  @Test(arguments: [(0, 1), (1, 3), (38, 77), (63, 127), (0xffff_ffff, 255)] as [(UInt32, Int32)])
  func `a debug exit has QEMU's status`(value: UInt32, status: Int32) {
    #expect(DebugExitPort.status(of: value) == status)
  }
}
