import MachineState
import Reports
import Testing

@Suite struct MemoryDifferenceTests {
  private func page(_ byte: UInt8, count: Int = 1) -> [UInt8] { [UInt8](repeating: byte, count: 4096 * count) }

  private func image(_ runs: [(UInt64, [UInt8])]) -> MemoryImage {
    MemoryImage(size: 1 << 20, runs: runs.map { MemoryImage.Run(address: $0.0, bytes: $0.1) })
  }

  @Test func `pages that differ are counted, and put together where they are neighbours`() {
    let before = image([(0x1000, page(1, count: 3)), (0x8000, page(2))])
    let after = image([(0x1000, page(1)), (0x2000, page(7, count: 2)), (0x8000, page(2)), (0x9000, page(3))])
    let difference = DifferenceReport.MemoryDifference(before, after)
    #expect(difference.pages == 3)
    #expect(difference.runs.map(\.address) == [0x2000, 0x9000])
    #expect(difference.runs.map(\.pages) == [2, 1])
  }

  @Test func `a page that is not there is all 0`() {
    #expect(DifferenceReport.MemoryDifference(image([(0, page(0))]), image([])).pages == 0)
    #expect(DifferenceReport.MemoryDifference(image([]), image([(0, page(1))])).pages == 1)
  }

  @Test func `a hundred places are named, all are counted`() {
    let odd = image((0..<128).map { (UInt64($0) * 0x2000, page(1)) })
    let difference = DifferenceReport.MemoryDifference(odd, image([]))
    #expect(difference.pages == 128)
    #expect(difference.runs.count == 100)
  }

  @Test func `a word is four bytes of memory, least significant first`() {
    var bytes = page(0, count: 2)
    bytes[4094..<4098] = [0x40, 0x60, 0x00, 0x8b]
    let memory = image([(0x5000, bytes)])
    #expect(memory.word(at: 0x5ffe) == 0x8b00_6040)
    #expect(memory.word(at: 0x1000) == 0)
    #expect(memory.word(at: 0x6ffe) == 0)
    #expect(memory.word(at: (1 << 20) - 2) == nil)
    #expect(memory.word(at: .max) == nil)
  }
}
