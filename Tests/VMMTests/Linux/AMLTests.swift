import KVM
import Testing

@testable import VMM

/// The DSDT, as ACPI's machine language has it.
@Suite struct AMLTests {
  @Test func `numbers and identifiers are as short as they can be`() {
    #expect(AML.integer(0) == [0] && AML.integer(1) == [1])
    #expect(AML.integer(5) == [0x0a, 5] && AML.integer(0x1234) == [0x0b, 0x34, 0x12])
    #expect(AML.integer(0x1_ffff) == [0x0c, 0xff, 0xff, 1, 0])
    #expect(AML.identifier("PNP0A03") == [0x0c, 0x41, 0xd0, 0x0a, 0x03])
    #expect(AML.identifier("PNP0501") == [0x0c, 0x41, 0xd0, 0x05, 0x01])
  }

  @Test(arguments: [0, 1, 56, 57, 58, 300, 4087, 4088, 5000])
  func `a scope's length counts itself, whatever its size`(count: Int) throws {
    let bytes = AML.scope("\\_SB_", [UInt8](repeating: 0, count: count))
    let (length, size) = try Self.length(bytes[1...])
    #expect(length == bytes.count - 1)
    #expect(bytes.dropFirst(1 + size).prefix(5).elementsEqual("\\_SB_".utf8))
  }

  @Test func `the definitions switch off by S5, and have a PCI bus with its windows and lines, and COM1`() throws {
    let bytes = PCDefinitions.bytes
    #expect(bytes.starts(with: [0x08] + Array("\\_S5_".utf8) + [0x12, 8, 4, 0x0a, 5, 0x0a, 5, 0, 0]))
    let scope = bytes.dropFirst(6 + 9)
    #expect(scope.first == 0x10)
    #expect(try Self.length(scope.dropFirst()).value == scope.count - 1)
    // 31 devices of four pins, each an entry of at least 9 bytes.
    let table = try #require(bytes.firstRange(of: [0x08] + Array("_PRT".utf8) + [0x12]))
    let (_, size) = try Self.length(bytes[table.upperBound...])
    #expect(bytes[table.upperBound + size] == 124)
    // Device 1's INTA# to GSI 21, INTD# to 16.
    #expect(bytes.firstRange(of: [0x0c, 0xff, 0xff, 1, 0, 0, 0, 0x0a, 21]) != nil)
    #expect(bytes.firstRange(of: [0x0c, 0xff, 0xff, 1, 0, 0x0a, 3, 0, 0x0a, 16]) != nil)
    // COM1's ports and line, and the end of the list.
    let com1: [UInt8] = [0x47, 1, 0xf8, 3, 0xf8, 3, 1, 8, 0x22, 0x10, 0, 0x79, 0]
    #expect(bytes.firstRange(of: com1) != nil)
    #expect(PCDefinitions.line(ofDevice: 31, pin: 3) == 22)
    for index in 0..<UInt64(VirtioDevice.limit) {
      let device = UInt64(VirtioPlace.firstSlot) + index
      #expect(PCDefinitions.line(ofDevice: device, pin: 0) == UInt64(VirtioPlace.firstLine) + index)
    }
  }

  @Test(arguments: [1, 64, 254] as [UInt32]) func `the tables of a machine for Linux have room, and add up to zero`(
    vcpus: UInt32
  ) throws {
    let tables = ACPITables(apicIDs: Array(0..<vcpus), platform: .linux(hasPIC: false)).contents
      .sorted { $0.address < $1.address }
    for (low, high) in zip(tables, tables.dropFirst()) {
      #expect(low.address + UInt64(low.bytes.count) <= high.address)
    }
    #expect(tables.allSatisfy { $0.address + UInt64($0.bytes.count) <= ACPITables.limit })
    let madt = try #require(tables.first { $0.bytes.starts(with: "APIC".utf8) }).bytes
    #expect(madt.reduce(0, &+) == 0)
    // No PCAT_COMPAT where there are no PICs.
    #expect(madt[40] == 0)
    #expect(madt.count >= 44 + 8 * Int(vcpus))
  }

  /// What a length says, and how many bytes it has (ACPI specification, section 20.2.4).
  private static func length(_ bytes: ArraySlice<UInt8>) throws -> (value: Int, size: Int) {
    let first = try #require(bytes.first)
    let extra = Int(first >> 6)
    guard extra > 0 else { return (Int(first), 1) }
    return bytes.dropFirst().prefix(extra).enumerated().reduce((Int(first & 0xf), 1 + extra)) { length, byte in
      (length.0 | Int(byte.element) << (4 + 8 * byte.offset), length.1)
    }
  }
}
