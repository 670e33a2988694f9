import KVM
import SystemPackage
import Testing

@Suite struct MappingTests {
  @Test func `what is stored is loaded, least significant byte first`() throws {
    let mapping = try Mapping(anonymous: 4096)
    try mapping.store(UInt32(0x1122_3344), at: 8)
    #expect(try mapping.load(at: 8, as: UInt32.self) == 0x1122_3344)
    #expect(try mapping.load(at: 8, as: UInt8.self) == 0x44)
    #expect(try mapping.load(at: 10, as: UInt16.self) == 0x1122)
    try mapping.store(Int64(-2), at: 16)
    #expect(try mapping.load(at: 16, as: Int64.self) == -2)
    #expect(try mapping.load(at: 16, as: UInt64.self) == 0xffff_ffff_ffff_fffe)
  }

  @Test func `bytes go in and come out`() throws {
    let mapping = try Mapping(anonymous: 8192)
    let bytes: [UInt8] = [1, 2, 3]
    try mapping.copy(from: bytes.span, at: 8189)
    #expect(try mapping.read(at: 8188, count: 4) == [0, 1, 2, 3])
    try mapping.fill(at: 0, count: 2, with: 0xff)
    #expect(try mapping.read(at: 0, count: 3) == [0xff, 0xff, 0])
    try mapping.discard(at: 4096, count: 4096)
    #expect(try mapping.read(at: 8188, count: 4) == [0, 0, 0, 0])
  }

  @Test(arguments: [(-1, 1), (4096, 1), (4093, 4), (0, 4097), (Int.max, 1), (1, Int.max), (0, -1)])
  func `an access outside the mapping is refused`(offset: Int, count: Int) throws {
    let mapping = try Mapping(anonymous: 4096)
    var error: MemoryError?
    do throws(MemoryError) { _ = try mapping.read(at: offset, count: count) } catch let caught { error = caught }
    #expect(error == .outOfRange(offset: offset, count: count, size: 4096))
  }

  @Test func `a misaligned access is refused`() throws {
    let mapping = try Mapping(anonymous: 4096)
    var error: MemoryError?
    do throws(MemoryError) { _ = try mapping.load(at: 2, as: UInt32.self) } catch let caught { error = caught }
    #expect(error == .misaligned(offset: 2, alignment: 4))
    do throws(MemoryError) { try mapping.discard(at: 1, count: 1) } catch let caught { error = caught }
    #expect(error == .misaligned(offset: 1, alignment: 4096))
  }

  @Test func `a mapping of nothing is refused`() {
    #expect(throws: KVMError(call: .mmap, errno: .invalidArgument, detail: "0 bytes")) {
      _ = try GuestRegion(size: 0)
    }
  }
}

@Suite(.needsKVM) struct MemorySlotTests {
  @Test func `a machine keeps the memory of its slots, and only while they are set`() throws {
    let vm = try KVM.open().createVM()
    weak var kept: GuestRegion?
    do {
      let region = try GuestRegion(size: 4096)
      kept = region
      try vm.setMemoryRegion(slot: 3, guestAddress: 0x1000, region: region)
    }
    #expect(kept != nil)
    try vm.removeMemoryRegion(slot: 3)
    #expect(kept == nil)
  }

  @Test func `slots that overlap are refused`() throws {
    let vm = try KVM.open().createVM()
    let region = try GuestRegion(size: 8192)
    try vm.setMemoryRegion(slot: 0, guestAddress: 0, region: region)
    let error = try #require(throws: KVMError.self) {
      try vm.setMemoryRegion(slot: 1, guestAddress: 0x1000, region: region)
    }
    #expect(error.errno == .fileExists)
    #expect(error.detail == "slot 1, 8192 bytes at 0x1000")
  }

  @Test(arguments: [(4096, 8192), (-4096, 4096), (8192, 4096), (0, 0)])
  func `a slot cannot reach outside its region`(offset: Int, size: Int) throws {
    let vm = try KVM.open().createVM()
    let region = try GuestRegion(size: 8192)
    let error = try #require(throws: KVMError.self) {
      try vm.setMemoryRegion(slot: 0, guestAddress: 0, region: region, offset: offset, size: size)
    }
    #expect(error.errno == .badAddress)
  }

  @Test func `the dirty log has the page that the guest wrote`() throws {
    // mov byte [0x10], 0x2a; out 0x80, al
    let machine = try TinyMachine(code: [0xc6, 0x06, 0x10, 0x00, 0x2a, 0xe6, 0x80], flags: .logDirtyPages)
    #expect(try machine.vm.dirtyLog(slot: 0) == [0])
    _ = try machine.vcpu.run()
    #expect(try machine.memory.mapping.load(at: 0x10, as: UInt8.self) == 0x2a)
    #expect(try machine.vm.dirtyLog(slot: 0) == [1])
    #expect(try machine.vm.dirtyLog(slot: 0) == [0])
  }

  @Test func `a slot without a log has none`() throws {
    let machine = try TinyMachine(code: [])
    #expect(throws: KVMError(call: .getDirtyLog, errno: .noSuchFileOrDirectory, detail: "slot 0")) {
      _ = try machine.vm.dirtyLog(slot: 0)
    }
    #expect(throws: KVMError(call: .getDirtyLog, errno: .noSuchFileOrDirectory, detail: "slot 7")) {
      _ = try machine.vm.dirtyLog(slot: 7)
    }
  }
}
