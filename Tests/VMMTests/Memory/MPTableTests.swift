import Testing

@testable import VMM

/// What a kernel of the nineties looks up to find its processors.
@Suite struct MPTableTests {
  private func sum(_ bytes: some Sequence<UInt8>) -> UInt8 { bytes.reduce(0, &+) }

  @Test func `the floating pointer leads to the table, and its bytes add up to 0`() {
    let pointer = MPTable.floatingPointer(to: 0xf_0000)
    #expect(pointer.count == 16)
    #expect(pointer.prefix(8).elementsEqual(Array("_MP_".utf8) + [0, 0, 0x0f, 0]))
    #expect(sum(pointer) == 0)
  }

  @Test(arguments: [1, 4, 64]) func `the table says how long it is and how many entries it has`(vcpus: Int) {
    let table = MPTable(apicIDs: (0..<UInt32(vcpus)).map { $0 }).bytes
    #expect(sum(table) == 0)
    #expect(Int(table[4]) | Int(table[5]) << 8 == table.count)
    var (offset, entries, processors) = (44, 0, 0)
    while offset < table.count {
      entries += 1
      if table[offset] == 0 { processors += 1 }
      offset += table[offset] == 0 ? 20 : 8
    }
    #expect(offset == table.count)
    #expect(entries == Int(table[34]) | Int(table[35]) << 8)
    #expect(processors == vcpus)
  }

  @Test func `the IOAPIC has an id that no processor has, and wide ids are left out`() {
    let table = MPTable(apicIDs: [0, 2, 300]).bytes
    let ioapic = 44 + 2 * 20 + 8
    #expect(table[ioapic] == 2)
    #expect(table[ioapic + 1] == 1)
  }
}
