import MachineState
import SystemPackage
import Testing
import VMM

/// Guest memory that is collected page by page.
@Suite struct MemorySpoolTests {
  private func page(_ fill: UInt8) -> [UInt8] { [UInt8](repeating: fill, count: 4096) }

  @Test func `the last of a page's contents counts, and what is zero is left out`() throws {
    let folder = try TestFolder()
    let spool = try MemorySpool(besides: folder.path.appending("a.json"))
    #expect(folder.names.isEmpty)
    // Beside one another on either side of 3 GiB, where memory goes on at 4 GiB; out of order, twice, and zero in the end.
    for (offset, fill) in [(UInt64(3 << 30), UInt8(2)), ((3 << 30) - 4096, 1), (0x5000, 3), (0x5000, 4), (0x9000, 5)] {
      try spool.write(page(fill), at: offset)
    }
    try spool.clear(at: 0x9000)
    try spool.write(page(6), at: 0x6000)
    try spool.write(page(0), at: 0x7000)
    var state = SnapshotFileTests.snapshot().state
    state.configuration.memory = 4 << 30
    let file = SnapshotFile(folder.path.appending("a.json"))
    #expect(try file.write(state, memory: spool))
    let image = try file.read().memory
    #expect(image.size == 4 << 30)
    #expect(image.runs.map(\.address) == [0x5000, (3 << 30) - 4096, 4 << 30])
    #expect(image.runs.map(\.bytes) == [page(4) + page(6), page(1), page(2)])
  }

  @Test func `a write that is cancelled leaves nothing`() throws {
    let folder = try TestFolder()
    let spool = try MemorySpool(besides: folder.path.appending("a.json"))
    try spool.write(page(1), at: 0)
    let file = SnapshotFile(folder.path.appending("a.json"))
    #expect(try !file.write(SnapshotFileTests.snapshot().state, memory: spool, isCancelled: { true }))
    #expect(folder.names.isEmpty)
  }

  @Test func `a page is a whole one at a place that a machine can have`() throws {
    let folder = try TestFolder()
    let spool = try MemorySpool(besides: folder.path.appending("a.json"))
    for (size, offset) in [(4095, UInt64(0)), (4096, 1), (4096, MemorySpool.limit)] {
      #expect(throws: Errno.invalidArgument) { try spool.write([UInt8](repeating: 1, count: size), at: offset) }
    }
  }
}
