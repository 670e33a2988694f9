import Testing

@testable import VMM

@Suite struct BootLayoutTests {
  @Test(arguments: [1, 2, 255, 1024])
  func `everything has its own pages below the top`(vcpus: Int) throws {
    let layout = try #require(BootLayout(top: 64 << 20, vcpus: vcpus, logCapacity: 1 << 16))
    let places = [
      layout.log, layout.processorArea, layout.mailboxes, layout.requests, layout.apicIDs, layout.bootPage,
      layout.multibootInformation, layout.descriptors, layout.pageTables, 64 << 20,
    ]
    #expect(places == places.sorted())
    #expect(places.allSatisfy { $0 % 4096 == 0 })
    #expect(layout.start == layout.log)
    let sizes = zip(places, places.dropFirst()).map { $1 - $0 }
    #expect(sizes[0] >= 64 + 32 * layout.logCapacity)
    #expect(sizes[1] == UInt64(vcpus) * BootLayout.processorStride)
    #expect(sizes[2] >= UInt64(vcpus) * 128)
    #expect(sizes[3] >= UInt64(vcpus) * 32)
    #expect(sizes[4] >= UInt64(vcpus) * 4)
    #expect(sizes[5] >= 128 + 1024)
    #expect(sizes[8] == 6 * 4096)
    #expect(layout.logCapacity == 1 << 16)
  }

  @Test func `where memory is small the log has a quarter of what is left`() throws {
    let layout = try #require(BootLayout(top: 1 << 20, vcpus: 1, logCapacity: 1 << 16))
    #expect(layout.logCapacity == layout.processorArea / 4 / 32)
    #expect(layout.start > 1 << 19)
  }

  @Test(arguments: [(top: UInt64(0), vcpus: 1), (4096, 1), (40 << 10, 1), (1 << 20, 64), (16 << 20, 1024)])
  func `too little memory is nil`(top: UInt64, vcpus: Int) {
    #expect(BootLayout(top: top, vcpus: vcpus, logCapacity: 1 << 16) == nil)
  }

  @Test func `a top within a page does not shift the pages`() throws {
    #expect(
      BootLayout(top: (8 << 20) + 4095, vcpus: 2, logCapacity: 16)
        == BootLayout(top: 8 << 20, vcpus: 2, logCapacity: 16))
  }
}
