import KVM
import Testing

@testable import VMM

@Suite(.needsKVM) struct PCITests {
  private let ports: Bus
  private let memory: Bus

  init() throws {
    let vm = try KVM.open().createVM()
    let interrupts = InterruptController(vm: vm, irqChip: .kernel, stop: try StopSwitch())
    let device = try PCITestDevice(vm: vm, interrupts: interrupts)
    let pci = PCIBus(functions: [HostBridge.place: HostBridge(), PCITestDevice.place: device])
    ports = try Bus(name: "port", devices: pci.portDevices)
    memory = try Bus(name: "memory", devices: pci.memoryDevices)
  }

  private func configuration(_ place: UInt64, _ register: UInt64, width: Int = 4) -> UInt64 {
    ports.write(1 << 31 | place << 8 | register, at: 0xcf8, width: 4, vcpu: 0)
    return ports.read(at: 0xcfc, width: width, vcpu: 0) & (1 << (8 * UInt64(width)) - 1)
  }

  private func configure(_ value: UInt64, _ place: UInt64, _ register: UInt64) {
    ports.write(1 << 31 | place << 8 | register, at: 0xcf8, width: 4, vcpu: 0)
    ports.write(value, at: 0xcfc, width: 4, vcpu: 0)
  }

  @Test func `functions say who they are, and all others are not there`() {
    #expect(configuration(0, 0) == 0x1237_8086)
    #expect(configuration(0x10, 0) == 0x0005_1b36)
    // The suite selects a byte by the address, not by the port.
    #expect(configuration(0x10, 2, width: 2) == 0x0005)
    #expect(configuration(0x08, 0) == 0xffff_ffff)
    #expect(configuration(0x1_10, 0) == 0xffff_ffff)
    ports.write(0, at: 0xcf8, width: 4, vcpu: 0)
    #expect(ports.read(at: 0xcfc, width: 4, vcpu: 0) & 0xffff_ffff == 0xffff_ffff)
  }

  @Test func `base addresses tell their size and move what they reach`() {
    configure(0xffff_ffff, 0x10, 0x10)
    #expect(configuration(0x10, 0x10) == 0xffff_f000)
    configure(0xffff_ffff, 0x10, 0x14)
    #expect(configuration(0x10, 0x14) == 0xffff_ff01)
    configure(0xf100_0000, 0x10, 0x10)
    configure(0xc100, 0x10, 0x14)
    memory.write(0, at: 0xf100_0000, width: 1, vcpu: 0)
    #expect(memory.read(at: 0xf100_0004, width: 4, vcpu: 0) == 2048)
    ports.write(0, at: 0xc100, width: 1, vcpu: 0)
    #expect(ports.read(at: 0xc104, width: 4, vcpu: 0) == 128 + 3)
    configure(0, 0x10, 0x04)
    #expect(ports.read(at: 0xc104, width: 4, vcpu: 0) == .max)
  }

  @Test(arguments: [
    (0 as UInt64, "mmio-no-eventfd", 0xfa), (1, "mmio-wildcard-eventfd", 0xce), (2, "mmio-datamatch-eventfd", 0xfa),
  ])
  func `a test describes itself and counts the right writes`(test: UInt64, name: String, data: UInt64) {
    let base = PCITestDevice.memoryStart
    memory.write(test, at: base, width: 1, vcpu: 0)
    #expect(memory.read(at: base + 1, width: 1, vcpu: 0) == 1)
    #expect(memory.read(at: base + 8, width: 4, vcpu: 0) == data)
    let text = name.utf8.indices.enumerated().map { index, _ in
      UInt8(memory.read(at: base + 16 + UInt64(index), width: 1, vcpu: 0))
    }
    #expect(String(decoding: text, as: UTF8.self) == name)
    let place = base + memory.read(at: base + 4, width: 4, vcpu: 0)
    memory.write(data, at: place, width: 1, vcpu: 0)
    memory.write(0x11, at: place, width: 1, vcpu: 0)
    #expect(memory.read(at: base + 12, width: 4, vcpu: 0) == (test == 1 ? 2 : 1))
    // There are three tests; a number beyond ends the last one.
    memory.write(3, at: base, width: 1, vcpu: 0)
    #expect(memory.read(at: base + 1, width: 1, vcpu: 0) == 0)
  }
}
