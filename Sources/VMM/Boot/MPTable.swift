import APIC
import Support

/// The MP configuration table, by which kernels that do not read ACPI find processors, IOAPIC and lines (Intel
/// MultiProcessor Specification 1.4, chapter 4).
struct MPTable {
  /// The vCPUs' APIC ids. Those of 255 and above cannot be said here.
  let apicIDs: [UInt32]

  private enum Entry {
    static let processor: UInt8 = 0
    static let bus: UInt8 = 1
    static let ioapic: UInt8 = 2
    static let line: UInt8 = 3
    static let localLine: UInt8 = 4
  }
  private enum Kind {
    static let interrupt: UInt8 = 0
    static let nmi: UInt8 = 1
    static let external: UInt8 = 3
  }
  private static let revision: UInt8 = 4
  private static let isaBus: UInt8 = 0
  private static let isaLines: UInt8 = 16
  private static let headerSize = 44

  /// The MP floating pointer structure (section 4.1).
  static func floatingPointer(to table: UInt32) -> [UInt8] {
    var pointer = Array("_MP_".utf8)
    pointer.appendLittleEndian(table)
    pointer += [1, revision]
    pointer.pad(to: 16)
    pointer[10] = ACPITable.checksum(of: pointer[...])
    return pointer
  }

  /// The table: its header (section 4.2) and its entries (section 4.3).
  var bytes: [UInt8] {
    let ids = apicIDs.compactMap { UInt8(exactly: $0) }.filter { $0 < 255 }
    let ioapic = (UInt8(0)...254).first { !ids.contains($0) } ?? 0
    var entries: [UInt8] = []
    for (index, id) in ids.enumerated() {
      // Usable, and the first is the bootstrap processor; family 6, with an FPU and a local APIC.
      entries += [Entry.processor, id, 0x14, index == 0 ? 3 : 1]
      for word in [0x600, 0x201, 0, 0] as [UInt32] { entries.appendLittleEndian(word) }
    }
    entries += [Entry.bus, Self.isaBus] + Array("ISA   ".utf8)
    entries += [Entry.ioapic, ioapic, 0x11, 1]
    entries.appendLittleEndian(UInt32(truncatingIfNeeded: IOAPIC.defaultAddress))
    // KVM leads each ISA line to the pin of its number (`kvm_setup_default_irq_routing`).
    for line in 0..<Self.isaLines where line != 2 {
      Self.add(Entry.line, Kind.interrupt, line, ioapic, line, to: &entries)
    }
    Self.add(Entry.localLine, Kind.external, 0, 0xff, 0, to: &entries)
    Self.add(Entry.localLine, Kind.nmi, 0, 0xff, 1, to: &entries)

    var table = Array("PCMP".utf8)
    table.appendLittleEndian(UInt16(Self.headerSize + entries.count))
    table += [Self.revision, 0] + Array("LAPWING STANDARD    ".utf8)
    table.pad(to: 34)
    // Processors, a bus, an IOAPIC, all ISA lines but the cascade, and two local lines.
    table.appendLittleEndian(UInt16(ids.count + 1 + 1 + Int(Self.isaLines) - 1 + 2))
    table.appendLittleEndian(UInt32(truncatingIfNeeded: APICBase.defaultAddress))
    table.pad(to: Self.headerSize)
    table += entries
    table[7] = ACPITable.checksum(of: table[...])
    return table
  }

  /// A line of a bus to a pin of an IOAPIC, or of every local APIC, with polarity and trigger as the bus has them.
  private static func add(
    _ entry: UInt8, _ kind: UInt8, _ line: UInt8, _ apic: UInt8, _ pin: UInt8, to entries: inout [UInt8]
  ) {
    entries += [entry, kind, 0, 0, isaBus, line, apic, pin]
  }
}

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
