import TestImages
import Testing

@testable import VMM

@Suite struct FirmwareConfigurationTests {
  private let memory: GuestMemory
  private let bus: Bus

  init() throws {
    memory = try GuestMemory(size: 1 << 20)
    let items = FirmwareItems(memory: memory, vcpus: 3)
    bus = try Bus(name: "port", devices: FirmwareConfiguration(items: items, memory: memory).portDevices)
  }

  private func read(_ selector: UInt64, _ count: Int) -> [UInt8] {
    bus.write(selector, at: 0x510, width: 2, vcpu: 0)
    return (0..<count).map { _ in UInt8(bus.read(at: 0x511, width: 1, vcpu: 0)) }
  }

  @Test func `an item is read byte by byte, with zeros behind it`() {
    #expect(read(0x00, 6) == Array("QEMU\0\0".utf8))
    #expect(read(0x05, 2) == [3, 0])
    #expect(read(0x03, 8) == littleEndian(UInt64(1 << 20)))
    #expect(read(0x01, 4) == [3, 0, 0, 0])
    #expect(read(0x7777, 2) == [0, 0])
  }

  @Test func `the directory leads to the map of memory`() {
    let directory = read(0x19, 4 + 64)
    #expect(directory[0..<8] == [0, 0, 0, 1, 0, 0, 0, 20])
    #expect(directory[12..<21].elementsEqual("etc/e820\0".utf8))
    let selector = UInt64(directory[8]) << 8 | UInt64(directory[9])
    #expect(read(selector, 20) == littleEndian(UInt64(0)) + littleEndian(UInt64(1 << 20)) + [1, 0, 0, 0])
  }

  /// Asks for a transfer and returns the control word that the device leaves.
  private func transfer(_ control: UInt32, _ length: UInt32, to address: UInt64) throws -> UInt32 {
    let request = littleEndian(control.byteSwapped) + littleEndian(length.byteSwapped)
    try memory.write(request + littleEndian(address.byteSwapped), at: 0x5000)
    bus.write(0, at: 0x514, width: 4, vcpu: 0)
    bus.write(UInt64(UInt32(0x5000).byteSwapped), at: 0x518, width: 4, vcpu: 0)
    return try memory.load(UInt32.self, at: 0x5000).byteSwapped
  }

  @Test func `DMA reads what is selected in one go, and fills up with zeros`() throws {
    #expect(bus.read(at: 0x514, width: 4, vcpu: 0) & 0xffff_ffff == 0x554d_4551)
    #expect(bus.read(at: 0x518, width: 4, vcpu: 0) & 0xffff_ffff == 0x4746_4320)
    try memory.write([UInt8](repeating: 0xff, count: 8), at: 0x6000)
    #expect(try transfer(0x0000_000a, 7, to: 0x6000) == 0)
    #expect(try memory.read(8, at: 0x6000) == Array("QEMU\0\0\0".utf8) + [0xff])
    // Select, skip two, then read two more of the same item.
    #expect(try transfer(0x0000_000c, 2, to: 0) == 0)
    #expect(try transfer(0x0000_0002, 2, to: 0x6000) == 0)
    #expect(try memory.read(2, at: 0x6000) == Array("MU".utf8))
  }

  @Test(
    arguments: [
      (0x0a, 4, 0x10_0000 - 2), (0x0a, 0xffff_ffff, 0), (0x0a, 8, UInt64.max - 3), (0x10, 4, 0x6000),
    ] as [(UInt32, UInt32, UInt64)])
  func `a transfer that cannot be says so`(control: UInt32, length: UInt32, address: UInt64) throws {
    #expect(try transfer(control, length, to: address) == 1)
  }

  @Test func `a request outside of memory changes nothing`() {
    bus.write(UInt64(UInt32.max), at: 0x514, width: 4, vcpu: 0)
    bus.write(UInt64(UInt32.max), at: 0x518, width: 4, vcpu: 0)
    #expect(read(0x00, 4) == Array("QEMU".utf8))
  }
}
