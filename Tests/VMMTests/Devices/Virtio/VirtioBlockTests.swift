import Foundation
import Testing

@testable import VMM

@Suite struct VirtioBlockTests {
  private let memory: GuestMemory
  private let disk: TemporaryDisk

  init() throws {
    memory = try GuestMemory(size: 1 << 20)
    disk = try TemporaryDisk(sectors: 8)
  }

  private func device(isReadOnly: Bool = false) throws -> VirtioBlock {
    let file = try DiskFile(VirtioDevice.Disk(path: disk.path, isReadOnly: isReadOnly))
    return VirtioBlock(file: file, identity: "lapwing-0")
  }

  /// Has a request carried out: its data are at 0x9000, its status behind them where the device writes them, else alone.
  private func status(_ kind: UInt32, sector: UInt64 = 0, data count: UInt32, of device: VirtioBlock) throws -> UInt8 {
    try memory.store(kind, at: 0x8000)
    try memory.store(sector, at: 0x8008)
    try memory.store(0xff as UInt8, at: 0xf000)
    var chain = VirtioChain(head: 0)
    chain.readable = [VirtioChain.Buffer(address: 0x8000, count: 16)]
    let data = count == 0 ? [] : [VirtioChain.Buffer(address: 0x9000, count: count)]
    if kind == 1 { chain.readable += data } else { chain.writable += data }
    chain.writable.append(VirtioChain.Buffer(address: 0xf000, count: 1))
    _ = try device.carryOut(chain, memory)
    return try memory.load(UInt8.self, at: 0xf000)
  }

  @Test func `what is written to a sector is read from it, and is in the file`() throws {
    let device = try device()
    try memory.write([UInt8](repeating: 0x5a, count: 1024), at: 0x9000)
    #expect(try status(1, sector: 6, data: 1024, of: device) == 0)
    try memory.write([UInt8](repeating: 0, count: 1024), at: 0x9000)
    #expect(try status(0, sector: 7, data: 512, of: device) == 0)
    #expect(try memory.read(512, at: 0x9000) == [UInt8](repeating: 0x5a, count: 512))
    #expect(try status(4, data: 0, of: device) == 0)
    let bytes = try Data(contentsOf: URL(filePath: disk.path))
    #expect(bytes.count == 4096 && bytes[3071] == 0 && bytes[3072] == 0x5a)
  }

  @Test func `sectors behind the end, parts of sectors and writes to what is only read are errors`() throws {
    let device = try device()
    for (sector, count) in [(8, 512), (7, 1024), (.max, 512), (0, 100), (0, 0)] as [(UInt64, UInt32)] {
      #expect(try status(0, sector: sector, data: count, of: device) == 1)
      #expect(try status(1, sector: sector, data: count, of: device) == 1)
    }
    device.end()
    #expect(try status(1, data: 512, of: try self.device(isReadOnly: true)) == 1)
  }

  @Test func `a request of another kind is not supported, and one without its parts is none`() throws {
    let device = try device()
    #expect(try status(99, data: 512, of: device) == 2)
    #expect(throws: VirtioRingError.request) { _ = try device.carryOut(VirtioChain(head: 0), memory) }
  }

  @Test func `a file that becomes shorter is an error for the guest`() throws {
    let device = try device()
    try FileHandle(forWritingTo: URL(filePath: disk.path)).truncate(atOffset: 1024)
    #expect(try status(0, sector: 0, data: 512, of: device) == 0)
    #expect(try status(0, sector: 4, data: 512, of: device) == 1)
  }

  @Test func `it tells its name`() throws {
    #expect(try status(8, data: 20, of: try device()) == 0)
    #expect(try memory.read(10, at: 0x9000) == Array("lapwing-0".utf8) + [0])
  }

  @Test func `a disk that can be written has one machine at a time`() throws {
    let device = try device()
    #expect(throws: DiskError.self) { _ = try self.device() }
    #expect(throws: DiskError.self) { _ = try self.device(isReadOnly: true) }
    device.end()
    let readers = [try self.device(isReadOnly: true), try self.device(isReadOnly: true)]
    #expect(readers.count == 2)
  }

  @Test func `what cannot be a disk is refused`() throws {
    for path in ["", "/nonexistent/disk", "/", "/dev/null"] {
      #expect(throws: DiskError.self) { _ = try DiskFile(VirtioDevice.Disk(path: path)) }
    }
    try Data(count: 100).write(to: URL(filePath: disk.path))
    #expect(throws: DiskError.self) { _ = try device() }
  }
}
