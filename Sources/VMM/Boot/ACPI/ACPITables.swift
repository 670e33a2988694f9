import APIC
import Support

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
    table.fields = platform.definitions
    return table.bytes
  }

  /// The RSDP, with a checksum over its first 20 bytes and one over all.
  private static var rootPointer: [UInt8] {
    var pointer = Array("RSD PTR \0LAPWNG".utf8) + [2]
    pointer.appendLittleEndian(UInt32(rsdt))
    pointer.appendLittleEndian(UInt32(36))
    pointer.appendLittleEndian(xsdt)
    pointer.pad(to: 36)
    pointer[8] = ACPITable.checksum(of: pointer[0..<20])
    pointer[32] = ACPITable.checksum(of: pointer[...])
    return pointer
  }

  private var rootTable: [UInt8] {
    var table = ACPITable("RSDT", revision: 1)
    table.fields.appendLittleEndian(UInt32(Self.fadt))
    table.fields.appendLittleEndian(UInt32(truncatingIfNeeded: madt))
    return table.bytes
  }

  private var extendedTable: [UInt8] {
    var table = ACPITable("XSDT", revision: 1)
    table.fields.appendLittleEndian(Self.fadt)
    table.fields.appendLittleEndian(madt)
    return table.bytes
  }

  /// The FACS has a header of its own, and no checksum (section 5.2.10).
  private static var firmwareControl: [UInt8] {
    var table = Array("FACS".utf8) + [64]
    table.pad(to: 32)
    table.append(1)
    table.pad(to: 64)
    return table
  }

  /// The FADT of revision 3 (section 5.2.9).
  private var fixedDescription: [UInt8] {
    var table = ACPITable("FACP", revision: 3)
    var fields: [UInt8] = []
    let events = UInt32(PowerManagementEvents.port)
    let control = events + UInt32(PowerManagementEvents.control)
    let timer = UInt32(PowerManagementTimer.port)
    fields.appendLittleEndian(UInt32(Self.facs))
    fields.appendLittleEndian(UInt32(Self.dsdt))
    // Interrupt model and profile, the SCI's line, the SMI command port that is not there: ACPI mode is always on.
    fields.appendLittleEndian(UInt16(0))
    fields.appendLittleEndian(UInt16(9))
    fields.pad(to: 20)
    for port in [events, 0, control, 0, 0, timer, 0, 0] { fields.appendLittleEndian(port) }
    // Lengths of the blocks: events, control, PM2, timer; no general-purpose events, no C states.
    fields += [4, 2, 0, 4, 0, 0, 0, 0]
    fields.appendLittleEndian(UInt16(0xfff))
    fields.appendLittleEndian(UInt16(0xfff))
    fields.pad(to: 70)
    // Day and month alarm, century: registers of the clock's memory.
    fields += [0, 0, 0x32]
    fields.appendLittleEndian(platform.bootFlags)
    fields.pad(to: 76)
    // Flags: WBINVD works, the power and sleep buttons are no fixed ones, there is a reset register.
    fields.appendLittleEndian(UInt32(1 | 1 << 4 | 1 << 5 | 1 << 10))
    fields += Self.port(0xcf9, bits: 8) + [0x06]
    fields.pad(to: 96)
    fields.appendLittleEndian(Self.facs)
    fields.appendLittleEndian(Self.dsdt)
    fields += Self.port(events, bits: 32)
    fields += Self.port(0, bits: 0)
    fields += Self.port(control, bits: 16)
    fields += Self.port(0, bits: 0)
    fields += Self.port(0, bits: 0)
    fields += Self.port(timer, bits: 32)
    fields.pad(to: 208)
    table.fields = fields
    return table.bytes
  }

  /// The MADT: local APICs, the IOAPIC, the SCI's line (section 5.2.12).
  private var interruptControllers: [UInt8] {
    var table = ACPITable("APIC", revision: 3)
    table.fields.appendLittleEndian(UInt32(truncatingIfNeeded: APICBase.defaultAddress))
    // PCAT_COMPAT: there are PICs too.
    table.fields.appendLittleEndian(UInt32(platform.hasPIC ? 1 : 0))
    for (index, id) in apicIDs.enumerated() where table.fields.count < Int(Self.limit - madt) - 128 {
      if let id = UInt8(exactly: id), id < 255 {
        table.fields += [0, 8, UInt8(truncatingIfNeeded: index), id]
        table.fields.appendLittleEndian(UInt32(1))
      } else {
        table.fields += [9, 16, 0, 0]
        for word in [id, 1, UInt32(truncatingIfNeeded: index)] { table.fields.appendLittleEndian(word) }
      }
    }
    table.fields += [1, 12, 0, 0]
    for word in [UInt32(truncatingIfNeeded: IOAPIC.defaultAddress), 0] { table.fields.appendLittleEndian(word) }
    // The SCI is active high and level-triggered, at the pin of its own number.
    table.fields += [2, 10, 0, 9]
    table.fields.appendLittleEndian(UInt32(9))
    table.fields.appendLittleEndian(UInt16(0x0d))
    // LINT1 is the NMI of every processor.
    table.fields += [4, 6, 0xff, 0, 0, 1]
    return table.bytes
  }

  /// A generic address in port space (section 5.2.3.2); none where it has no bits.
  private static func port(_ port: UInt32, bits: UInt8) -> [UInt8] {
    var address: [UInt8] = [bits > 0 ? 1 : 0, bits, 0, 0]
    address.appendLittleEndian(UInt64(port))
    return address
  }
}

/// A table of ACPI's: a header of 36 bytes with a checksum over all of it, then its own fields (ACPI specification, section
/// 5.2.6).
struct ACPITable {
  static let headerSize = 36

  /// Fields behind the header.
  var fields: [UInt8] = []
  private let signature: String
  private let revision: UInt8

  /// A table without fields; its signature has four letters.
  init(_ signature: String, revision: UInt8) {
    self.signature = signature
    self.revision = revision
  }

  /// The table's bytes, checksum included.
  var bytes: [UInt8] {
    var table = Array(signature.utf8)
    table.appendLittleEndian(UInt32(Self.headerSize + fields.count))
    table += [revision, 0] + Array("LAPWNGLAPWING ".utf8)
    table.appendLittleEndian(UInt32(1))
    table += Array("LPWG".utf8)
    table.appendLittleEndian(UInt32(1))
    table += fields
    table[9] = Self.checksum(of: table[...])
    return table
  }

  /// What makes the sum of all bytes 0, in place of a 0.
  static func checksum(of bytes: ArraySlice<UInt8>) -> UInt8 { 0 &- bytes.reduce(0, &+) }
}

extension [UInt8] {
  /// Zeros up to a size.
  mutating func pad(to size: Int) { self += [UInt8](repeating: 0, count: Swift.max(0, size - count)) }
}

/// What ACPI's tables say of a PC beside its processors and its IOAPIC.
struct ACPIPlatform {
  /// IAPC_BOOT_ARCH of the FADT (ACPI specification, section 5.2.9.3).
  let bootFlags: UInt16
  /// Whether there are PICs.
  let hasPIC: Bool
  /// The DSDT's definitions, in ACPI's machine language.
  let definitions: [UInt8]

  private enum BootFlag {
    static let legacyDevices: UInt16 = 1 << 0
    static let keyboardController: UInt16 = 1 << 1
    static let noVGA: UInt16 = 1 << 2
  }

  /// The unit tests' PC, whose guests look for no device in the DSDT.
  static let unitTest = ACPIPlatform(
    bootFlags: BootFlag.legacyDevices | BootFlag.keyboardController, hasPIC: true, definitions: [])

  /// A PC for Linux: no keyboard controller to be probed, no display; a PCI bus, COM1, and a way to switch off.
  static func linux(hasPIC: Bool) -> ACPIPlatform {
    ACPIPlatform(
      bootFlags: BootFlag.legacyDevices | BootFlag.noVGA, hasPIC: hasPIC, definitions: PCDefinitions.bytes)
  }
}
