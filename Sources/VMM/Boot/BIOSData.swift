/// What a PC's firmware leaves below 1 MiB and kernels look up there: words of the BIOS data area, and in the extended BIOS
/// data area, the last KiB of conventional memory, the MP floating pointer.
struct BIOSData {
  /// The end of conventional memory, in bytes.
  static let conventionalEnd: UInt64 = extendedArea
  private static let extendedArea: UInt64 = 0x9_fc00
  private static let tables: UInt64 = 0xf_0000
  private static let tablesEnd: UInt64 = 0x10_0000

  let apicIDs: [UInt32]

  /// Writes all of it. An image that claims the same memory is loaded over it.
  func write(to memory: GuestMemory) throws(GuestMemoryError) {
    guard memory.lowSize >= Self.tablesEnd else { return }
    // COM1, the extended area's segment, and the KiB of conventional memory: not all of them are aligned.
    let words: [(address: UInt64, word: UInt64)] = [
      (0x400, SerialPort.ports.lowerBound), (0x40e, Self.extendedArea >> 4), (0x413, Self.conventionalEnd >> 10),
    ]
    for (address, word) in words {
      try memory.write([UInt8(truncatingIfNeeded: word), UInt8(truncatingIfNeeded: word >> 8)], at: address)
    }
    let table = MPTable(apicIDs: apicIDs).bytes
    guard table.count <= Self.tablesEnd - Self.tables else { return }
    try memory.write(MPTable.floatingPointer(to: UInt32(Self.tables)), at: Self.extendedArea)
    try memory.write(table, at: Self.tables)
  }
}

/// What the firmware of the unit tests' PC leaves in memory below 1 MiB, where guests do not take it for free: ACPI's
/// tables and the environment.
struct UnitTestFirmware {
  static let environmentStart = ACPITables.limit

  let platform: UnitTestPlatform
  let apicIDs: [UInt32]

  /// Where the environment lies; nil for none.
  var environmentRange: Range<UInt64>? {
    let size = UInt64(platform.environment.count)
    return size > 0 ? Self.environmentStart..<Self.environmentStart + size : nil
  }

  func write(to memory: GuestMemory) throws(GuestMemoryError) {
    for (address, bytes) in ACPITables(apicIDs: apicIDs).contents { try memory.write(bytes, at: address) }
    try memory.write(platform.environment, at: Self.environmentStart)
  }
}
