import APIC
import Testing

@testable import VMM

@Suite struct MSIXTableTests {
  private func table(enabled: Bool = true) -> MSIXTable {
    var table = MSIXTable(count: 2)
    _ = table.setControl(isEnabled: enabled, isMasked: false)
    return table
  }

  @Test func `after reset every vector is masked, and a function that does not use MSI-X has nothing pending`() {
    var table = MSIXTable(count: 2)
    #expect(!table.isEnabled && table.entries.allSatisfy(\.isMasked))
    let isSent = table.raise(1)
    #expect(!isSent)
    #expect(table.pending == 0)
  }

  @Test func `an entry is read as it was written, in words of 4 and of 8 bytes`() {
    var table = table()
    _ = table.write(0xfee0_1000, at: 16, width: 4)
    _ = table.write(0x1, at: 20, width: 4)
    _ = table.write(0x4071, at: 24, width: 8)
    #expect(table.entries[1] == MSIXTable.Entry(address: 0x1_fee0_1000, data: 0x4071, isMasked: false))
    #expect(table.read(at: 16, width: 8) == 0x1_fee0_1000)
    #expect(table.read(at: 24, width: 4) == 0x4071)
    #expect(table.read(at: 28, width: 4) == 0)
  }

  @Test func `accesses beside the table, of other widths or across words are none`() {
    var table = table()
    let before = table
    for (offset, width) in [(32, 4), (0, 1), (0, 2), (2, 4), (4, 8)] as [(UInt64, Int)] {
      let released = table.write(.max, at: offset, width: width)
      #expect(released == [])
      #expect(table.read(at: offset, width: width) == 0)
    }
    #expect(table == before)
  }

  @Test func `what is raised while it is masked is pending, and sent once when it is unmasked`() {
    var table = table()
    for _ in 0..<2 {
      let isSent = table.raise(1)
      #expect(!isSent)
    }
    #expect(table.pending == 2)
    let released = table.write(0, at: 28, width: 4)
    #expect(released == [1])
    #expect(table.pending == 0)
    let isSent = table.raise(1)
    #expect(isSent)
    let releasedAgain = table.write(0, at: 28, width: 4)
    #expect(releasedAgain == [])
  }

  @Test func `the function's mask holds every vector, and lets those go that are not masked by themselves`() {
    var table = table()
    _ = table.write(0, at: 12, width: 4)
    let releasedByMasking = table.setControl(isEnabled: true, isMasked: true)
    #expect(releasedByMasking == [])
    for vector in 0..<2 {
      let isSent = table.raise(vector)
      #expect(!isSent)
    }
    let released = table.setControl(isEnabled: true, isMasked: false)
    #expect(released == [0])
    #expect(table.pending == 2)
  }

  @Test func `a vector that there is not is nobody's`() {
    var table = table()
    for vector in [2, 0xffff] {
      let isSent = table.raise(vector)
      #expect(!isSent)
    }
    #expect(table.pending == 0)
  }

  @Test func `a message to no local APIC is none`() {
    #expect(MSIXTable.Entry(address: 0xd000_0000, data: 0x71).message == nil)
    #expect(MSIXTable.Entry(address: 0xfee0_0000, data: 0x71).message?.vector == 0x71)
  }

  @Test func `a table is kept as numbers, and numbers that no table has are refused`() {
    var table = table()
    _ = table.write(0xfee0_1000, at: 16, width: 4)
    _ = table.raise(0)
    #expect(MSIXTable(values: table.values, count: 2) == table)
    for (index, value) in [(0, 4), (1, 4), (2, 1), (3, 1 << 32), (4, 2)] as [(Int, UInt64)] {
      var values = table.values
      values[index] = value
      #expect(MSIXTable(values: values, count: 2) == nil)
    }
    #expect(MSIXTable(values: table.values, count: 3) == nil)
  }
}
