import Testing

@testable import VMM

@Suite struct VirtioRegistersTests {
  private static let memorySize: UInt64 = 1 << 20
  private var fresh: VirtioRegisters { VirtioEntropy.offer.registers }

  private func write(_ value: UInt64, _ register: VirtioRegisters.Register, _ registers: inout VirtioRegisters) {
    registers.write(value, at: register.rawValue, width: register.width, memorySize: Self.memorySize)
  }

  private func negotiate(_ features: UInt64, _ registers: inout VirtioRegisters) {
    write(3, .deviceStatus, &registers)
    for half in UInt64(0)..<2 {
      write(half, .driverFeatureSelect, &registers)
      write(features >> (32 * half) & 0xffff_ffff, .driverFeature, &registers)
    }
    write(0xb, .deviceStatus, &registers)
  }

  @Test func `FEATURES_OK stays set where version 1 and nothing beyond the offer is accepted`() {
    for (features, isAccepted) in [
      (VirtioRegisters.version1, true), (VirtioRegisters.version1 | VirtioRegisters.eventIndex, true),
      (0, false), (VirtioRegisters.eventIndex, false), (VirtioRegisters.version1 | 1 << 34, false),
    ] as [(UInt64, Bool)] {
      var registers = fresh
      negotiate(features, &registers)
      #expect((registers.read(at: 0x14, width: 1) == 0xb) == isAccepted)
      write(0xf, .deviceStatus, &registers)
      #expect(registers.isRunning == isAccepted)
    }
  }

  @Test func `a queue that is enabled outside of guest memory has the device want a reset`() {
    var registers = fresh
    negotiate(VirtioRegisters.version1, &registers)
    registers.write(0xfee0_0000, at: 0x20, width: 8, memorySize: Self.memorySize)
    write(1, .queueEnable, &registers)
    #expect(registers.status & 64 != 0 && !registers.queues[0].isEnabled)
    write(0xf, .deviceStatus, &registers)
    #expect(!registers.isRunning)
    write(0, .deviceStatus, &registers)
    #expect(registers == fresh)
  }

  @Test func `a queue that is enabled does not move, and sizes that cannot be are not taken`() {
    var registers = fresh
    negotiate(VirtioRegisters.version1, &registers)
    for size in [0, 3, 128, 0xffff] as [UInt64] { write(size, .queueSize, &registers) }
    #expect(registers.queues[0].size == 64)
    write(8, .queueSize, &registers)
    for (register, address) in [(0x20, 0x1000), (0x28, 0x2000), (0x30, 0x3000)] as [(UInt64, UInt64)] {
      registers.write(address, at: register, width: 8, memorySize: Self.memorySize)
    }
    write(1, .queueEnable, &registers)
    let enabled = registers
    #expect(enabled.queues[0].isEnabled && enabled.queues[0].size == 8)
    write(0x4000, .descriptorsLow, &registers)
    write(16, .queueSize, &registers)
    write(0, .queueEnable, &registers)
    #expect(registers == enabled)
  }

  @Test func `a queue that there is not has no size, and what is written to it is dropped`() {
    var registers = fresh
    write(7, .queueSelect, &registers)
    let before = registers
    for register in [.queueSize, .queueVector, .queueEnable, .descriptorsHigh] as [VirtioRegisters.Register] {
      write(1, register, &registers)
    }
    #expect(registers == before)
    #expect(registers.read(at: 0x18, width: 2) == 0)
  }

  @Test func `vectors that there are not read back as none`() {
    var registers = fresh
    write(2, .configurationVector, &registers)
    #expect(registers.read(at: 0x10, width: 2) == 0xffff)
    write(1, .configurationVector, &registers)
    // The number of queues follows.
    #expect(registers.read(at: 0x10, width: 4) == 0x1_0001)
  }
}
