import Testing

@testable import VMM

@Suite struct GuestMemoryTests {
  @Test func `what is written is read back`() throws {
    let memory = try GuestMemory(size: 8192)
    try memory.write([1, 2, 3, 4], at: 4094)
    #expect(try memory.read(4, at: 4094) == [1, 2, 3, 4])
    try memory.store(UInt64(0x1122_3344_5566_7788), at: 8184)
    #expect(try memory.load(UInt64.self, at: 8184) == 0x1122_3344_5566_7788)
    #expect(try memory.load(UInt8.self, at: 8191) == 0x11)
  }

  @Test(arguments: [
    (address: UInt64(8192), count: 1), (8191, 2), (0, 8193), (.max, 1), (.max, .max), (1, .max), (1 << 32, 4),
  ])
  func `a range that is not all memory is refused whole`(address: UInt64, count: Int) throws {
    let memory = try GuestMemory(size: 8192)
    let error = GuestMemoryError(address: address, size: UInt64(count))
    #expect(throws: error) { try memory.read(count, at: address) }
    if count < 1 << 20 {
      #expect(throws: error) { try memory.write([UInt8](repeating: 0xff, count: count), at: address) }
    }
    #expect(try memory.read(8192, at: 0).allSatisfy { $0 == 0 })
  }

  @Test func `an integer is refused beyond the end and where it is misaligned`() throws {
    let memory = try GuestMemory(size: 4096)
    #expect(throws: GuestMemoryError(address: 4096, size: 4)) { try memory.load(UInt32.self, at: 4096) }
    #expect(throws: GuestMemoryError(address: 4094, size: 4)) { try memory.store(UInt32(1), at: 4094) }
    #expect(throws: GuestMemoryError(address: 2, size: 4)) { try memory.load(UInt32.self, at: 2) }
  }

  @Test func `a range of no bytes is fine up to the end`() throws {
    let memory = try GuestMemory(size: 4096)
    #expect(try memory.read(0, at: 4096).isEmpty)
    #expect(throws: GuestMemoryError(address: 4097, size: 0)) { try memory.read(0, at: 4097) }
  }

  @Test func `beyond 3 GiB memory goes on at 4 GiB, and the hole is none`() throws {
    let memory = try GuestMemory(size: GuestMemory.lowLimit + 8192)
    #expect(memory.lowSize == 3 << 30)
    try memory.store(UInt32(7), at: GuestMemory.highStart + 8188)
    #expect(try memory.load(UInt32.self, at: GuestMemory.highStart + 8188) == 7)
    #expect(throws: GuestMemoryError(address: 0xfee0_0000, size: 4)) { try memory.load(UInt32.self, at: 0xfee0_0000) }
    #expect(throws: GuestMemoryError(address: (3 << 30) - 1, size: 2)) { try memory.read(2, at: (3 << 30) - 1) }
    #expect(throws: GuestMemoryError(address: GuestMemory.highStart + 8192, size: 1)) {
      try memory.read(1, at: GuestMemory.highStart + 8192)
    }
  }

  @Test func `an error says where and how much`() {
    #expect("\(GuestMemoryError(address: 0x1000, size: 8))" == "8 bytes at 0x1000 are not all guest memory")
  }
}
