import APIC

/// The tables by which a guest finds a PC's parts: RSDP, RSDT, XSDT, FADT, FACS, DSDT and MADT (ACPI specification,
/// section 5.2). They lie from 0xe0000, where a guest looks for the RSDP first.
struct ACPITables {
  static let start: UInt64 = 0xe_0000
  /// Their room, up to the environment's.
  static let limit: UInt64 = 0xf_0000
  /// Where the RSDP lies.
  static let rootPointerAddress = start

  /// The vCPUs' APIC ids.
  let apicIDs: [UInt32]
  /// What the tables say of the rest.
  var platform = ACPIPlatform.unitTest

  private static let rsdt = start + 0x40
  private static let xsdt = start + 0x80
  static let facs = start + 0x140
  private static let fadt = start + 0x180
  private static let dsdt = start + 0x280
  /// Behind the DSDT, and the last, as it grows with the vCPUs.
  private var madt: UInt64 { (Self.dsdt + UInt64(definitions.count) + 15) & ~15 }

  /// What goes where; as many of the vCPUs as the room has, more than a thousand.
  var contents: [(address: UInt64, bytes: [UInt8])] {
    [
      (Self.rootPointerAddress, Self.rootPointer), (Self.rsdt, rootTable), (Self.xsdt, extendedTable),
      (Self.dsdt, definitions), (Self.facs, Self.firmwareControl), (Self.fadt, fixedDescription),
      (madt, interruptControllers),
    ]
  }

  /// The DSDT.
  private var definitions: [UInt8] {
    // Integers have 64 bits from revision 2 on.
    var table = ACPITable("DSDT", revision: platform.definitions.isEmpty ? 1 : 2)
    table.fields.bytes = platform.definitions
    return table.bytes
  }

  /// The RSDP, with a checksum over its first 20 bytes and one over all.
  private static var rootPointer: [UInt8] {
    var pointer = LittleEndianBytes()
    pointer.add(text: "RSD PTR ", size: 8)
    pointer.add(UInt8(0))
    pointer.add(text: "LAPWNG", size: 6)
    pointer.add(UInt8(2))
    pointer.add(UInt32(rsdt))
    pointer.add(UInt32(36))
    pointer.add(xsdt)
    pointer.add(UInt32(0))
    pointer.bytes[8] = ACPITable.checksum(of: pointer.bytes[0..<20])
    pointer.bytes[32] = ACPITable.checksum(of: pointer.bytes[...])
    return pointer.bytes
  }

  private var rootTable: [UInt8] {
    var table = ACPITable("RSDT", revision: 1)
    table.fields.add(UInt32(Self.fadt))
    table.fields.add(UInt32(truncatingIfNeeded: madt))
    return table.bytes
  }

  private var extendedTable: [UInt8] {
    var table = ACPITable("XSDT", revision: 1)
    table.fields.add(Self.fadt)
    table.fields.add(madt)
    return table.bytes
  }

  /// The FACS has a header of its own, and no checksum (section 5.2.10).
  private static var firmwareControl: [UInt8] {
    var table = LittleEndianBytes()
    table.add(text: "FACS", size: 4)
    table.add(UInt32(64))
    table.pad(to: 32)
    table.add(UInt8(1))
    table.pad(to: 64)
    return table.bytes
  }

  /// The FADT of revision 3 (section 5.2.9).
  private var fixedDescription: [UInt8] {
    var table = ACPITable("FACP", revision: 3)
    var fields = LittleEndianBytes()
    let events = UInt32(PowerManagementEvents.port)
    let control = events + UInt32(PowerManagementEvents.control)
    let timer = UInt32(PowerManagementTimer.port)
    fields.add(UInt32(Self.facs))
    fields.add(UInt32(Self.dsdt))
    // Interrupt model and profile, the SCI's line, the SMI command port that is not there: ACPI mode is always on.
    fields.add(UInt16(0))
    fields.add(UInt16(9))
    fields.pad(to: 20)
    for port in [events, 0, control, 0, 0, timer, 0, 0] { fields.add(port) }
    // Lengths of the blocks: events, control, PM2, timer; no general-purpose events, no C states.
    for length in [4, 2, 0, 4, 0, 0, 0, 0] as [UInt8] { fields.add(length) }
    fields.add(UInt16(0xfff))
    fields.add(UInt16(0xfff))
    fields.pad(to: 70)
    // Day and month alarm, century: registers of the clock's memory.
    for byte in [0, 0, 0x32] as [UInt8] { fields.add(byte) }
    fields.add(platform.bootFlags)
    fields.pad(to: 76)
    // Flags: WBINVD works, the power and sleep buttons are no fixed ones, there is a reset register.
    fields.add(UInt32(1 | 1 << 4 | 1 << 5 | 1 << 10))
    fields.add(port: 0xcf9, bits: 8)
    fields.add(UInt8(0x06))
    fields.pad(to: 96)
    fields.add(Self.facs)
    fields.add(Self.dsdt)
    fields.add(port: events, bits: 32)
    fields.add(port: 0, bits: 0)
    fields.add(port: control, bits: 16)
    fields.add(port: 0, bits: 0)
    fields.add(port: 0, bits: 0)
    fields.add(port: timer, bits: 32)
    fields.pad(to: 208)
    table.fields = fields
    return table.bytes
  }

  /// The MADT: local APICs, the IOAPIC, the SCI's line (section 5.2.12).
  private var interruptControllers: [UInt8] {
    var table = ACPITable("APIC", revision: 3)
    table.fields.add(UInt32(truncatingIfNeeded: APICBase.defaultAddress))
    // PCAT_COMPAT: there are PICs too.
    table.fields.add(UInt32(platform.hasPIC ? 1 : 0))
    for (index, id) in apicIDs.enumerated() where table.fields.bytes.count < Int(Self.limit - madt) - 128 {
      if let id = UInt8(exactly: id), id < 255 {
        for byte in [0, 8, UInt8(truncatingIfNeeded: index), id] { table.fields.add(byte) }
        table.fields.add(UInt32(1))
      } else {
        for byte in [9, 16, 0, 0] as [UInt8] { table.fields.add(byte) }
        for word in [id, 1, UInt32(truncatingIfNeeded: index)] { table.fields.add(word) }
      }
    }
    for byte in [1, 12, 0, 0] as [UInt8] { table.fields.add(byte) }
    for word in [UInt32(truncatingIfNeeded: IOAPIC.defaultAddress), 0] { table.fields.add(word) }
    // The SCI is active high and level-triggered, at the pin of its own number.
    for byte in [2, 10, 0, 9] as [UInt8] { table.fields.add(byte) }
    table.fields.add(UInt32(9))
    table.fields.add(UInt16(0x0d))
    // LINT1 is the NMI of every processor.
    for byte in [4, 6, 0xff, 0, 0, 1] as [UInt8] { table.fields.add(byte) }
    return table.bytes
  }
}

extension LittleEndianBytes {
  /// A generic address in port space (section 5.2.3.2); none where it has no bits.
  fileprivate mutating func add(port: UInt32, bits: UInt8) {
    for byte in [bits > 0 ? 1 : 0, bits, 0, 0] as [UInt8] { add(byte) }
    add(UInt64(port))
  }
}

/// A table of ACPI's: a header of 36 bytes with a checksum over all of it, then its own fields (ACPI specification, section
/// 5.2.6).
struct ACPITable {
  static let headerSize = 36

  /// Fields behind the header.
  var fields = LittleEndianBytes()
  private let signature: String
  private let revision: UInt8

  init(_ signature: String, revision: UInt8) {
    self.signature = signature
    self.revision = revision
  }

  /// The table's bytes, checksum included.
  var bytes: [UInt8] {
    var table = LittleEndianBytes()
    table.add(text: signature, size: 4)
    table.add(UInt32(Self.headerSize + fields.bytes.count))
    table.add(revision)
    table.add(UInt8(0))
    table.add(text: "LAPWNG", size: 6)
    table.add(text: "LAPWING", size: 8)
    table.add(UInt32(1))
    table.add(text: "LPWG", size: 4)
    table.add(UInt32(1))
    table.bytes += fields.bytes
    table.bytes[9] = Self.checksum(of: table.bytes[...])
    return table.bytes
  }

  /// What makes the sum of all bytes 0, in place of a 0.
  static func checksum(of bytes: ArraySlice<UInt8>) -> UInt8 { 0 &- bytes.reduce(0, &+) }
}
