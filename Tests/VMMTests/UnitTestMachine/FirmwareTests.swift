import KVM
import Testing

@testable import VMM

/// What the firmware of the unit tests' PC leaves in memory.
@Suite struct FirmwareTests {
  private func bytes(_ memory: GuestMemory, _ address: UInt64) throws -> [UInt8] {
    let size = Int(try memory.load(UInt32.self, at: address + 4))
    return try memory.read(size, at: address)
  }

  @Test(arguments: [1, 4, 300]) func `ACPI's tables lead to each other and add up to zero`(vcpus: UInt32) throws {
    let memory = try GuestMemory(size: 2 << 20)
    try UnitTestFirmware(platform: UnitTestPlatform(), apicIDs: Array(0..<vcpus)).write(to: memory)
    let root = try memory.read(36, at: 0xe_0000)
    #expect(root[0..<8].elementsEqual("RSD PTR ".utf8))
    #expect(root[0..<20].reduce(0, &+) == 0)
    #expect(root.reduce(0, &+) == 0)
    let rsdt = try bytes(memory, UInt64(memory.load(UInt32.self, at: 0xe_0010)))
    let xsdt = try bytes(memory, UInt64(memory.load(UInt64.self, at: 0xe_0018)))
    let pointers = stride(from: 36, to: xsdt.count, by: 8).map { number(xsdt, $0, 8) }
    #expect(pointers == stride(from: 36, to: rsdt.count, by: 4).map { number(rsdt, $0, 4) })
    let tables = try [rsdt, xsdt] + pointers.map { try bytes(memory, $0) }
    for table in tables { #expect(table.reduce(0, &+) == 0) }
    #expect(tables.map { String(decoding: $0[0..<4], as: UTF8.self) } == ["RSDT", "XSDT", "FACP", "APIC"])

    let fadt = tables[2]
    #expect(fadt.count == 244)
    #expect(try memory.read(4, at: number(fadt, 36, 4)) == Array("FACS".utf8))
    #expect(try memory.read(4, at: number(fadt, 40, 4)) == Array("DSDT".utf8))
    #expect([56, 64, 76].map { number(fadt, $0, 4) } == [0x600, 0x604, 0x608])
    #expect([132, 140].map { number(fadt, $0, 8) } == [36, 40].map { number(fadt, $0, 4) })
    #expect(number(fadt, 120, 8) == 0xcf9)
    #expect(number(fadt, 212, 8) == 0x608)
    #expect(number(fadt, 36, 4) % 64 == 0)
  }

  @Test func `the MADT has every vCPU, ids from 255 on as x2APIC's`() throws {
    let tables = ACPITables(apicIDs: Array(0..<258)).contents.map(\.bytes)
    let madt = try #require(tables.first { $0.starts(with: "APIC".utf8) })
    var kinds: [UInt8] = []
    var place = 44
    while place < madt.count {
      kinds.append(madt[place])
      place += Int(madt[place + 1])
    }
    #expect(place == madt.count)
    #expect(kinds.count { $0 == 0 } == 255)
    #expect(kinds.count { $0 == 9 } == 3)
    #expect(kinds.suffix(3) == [1, 2, 4])
  }

  @Test func `thousands of vCPUs do not make the tables outgrow their room`() {
    for (address, bytes) in ACPITables(apicIDs: Array(0..<8192)).contents {
      #expect(address >= ACPITables.start && address + UInt64(bytes.count) <= ACPITables.limit)
    }
  }

  private func number(_ bytes: [UInt8], _ offset: Int, _ size: Int) -> UInt64 {
    bytes[offset..<offset + size].reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}
