import Support

/// As much of ACPI's machine language as a description of devices needs (ACPI specification, section 20.2).
enum AML {
  private enum Opcode {
    static let zero: UInt8 = 0x00
    static let one: UInt8 = 0x01
    static let name: UInt8 = 0x08
    static let byte: UInt8 = 0x0a
    static let word: UInt8 = 0x0b
    static let doubleWord: UInt8 = 0x0c
    static let scope: UInt8 = 0x10
    static let buffer: UInt8 = 0x11
    static let package: UInt8 = 0x12
    static let device: [UInt8] = [0x5b, 0x82]
  }

  /// A named value. A name has four letters, the root's `\` before them.
  static func name(_ name: String, _ value: [UInt8]) -> [UInt8] { [Opcode.name] + Array(name.utf8) + value }

  /// What is defined inside of a place that exists.
  static func scope(_ name: String, _ body: [UInt8]) -> [UInt8] { [Opcode.scope] + sized(Array(name.utf8) + body) }

  /// A device.
  static func device(_ name: String, _ body: [UInt8]) -> [UInt8] { Opcode.device + sized(Array(name.utf8) + body) }

  /// A list of at most 255 values.
  static func package(_ elements: [[UInt8]]) -> [UInt8] {
    [Opcode.package] + sized([UInt8(truncatingIfNeeded: elements.count)] + elements.flatMap(\.self))
  }

  /// A number of at most 32 bits, in as few bytes as it takes.
  static func integer(_ value: UInt64) -> [UInt8] {
    switch value {
    case 0: [Opcode.zero]
    case 1: [Opcode.one]
    case 0...0xff: [Opcode.byte, UInt8(value)]
    case 0...0xffff: [Opcode.word] + bytes(UInt16(value))
    default: [Opcode.doubleWord] + bytes(UInt32(truncatingIfNeeded: value))
    }
  }

  /// An identifier such as `PNP0501` as a number: three letters of five bits, four digits, the highest byte first.
  static func identifier(_ text: String) -> [UInt8] {
    let letters = text.utf8.prefix(3).reduce(UInt16(0)) { $0 << 5 | UInt16($1 & 0x1f) }
    let digits = UInt16(text.dropFirst(3), radix: 16) ?? 0
    return [Opcode.doubleWord] + bytes(letters.byteSwapped, digits.byteSwapped)
  }

  /// What has its length before it, which counts itself: in one byte up to 63, else a nibble and whole bytes.
  private static func sized(_ body: [UInt8]) -> [UInt8] {
    if body.count + 1 < 1 << 6 { return [UInt8(body.count + 1)] + body }
    let extra = body.count + 2 < 1 << 12 ? 1 : body.count + 3 < 1 << 20 ? 2 : 3
    let length = UInt32(truncatingIfNeeded: body.count + 1 + extra)
    let rest = (0..<extra).map { UInt8(truncatingIfNeeded: length >> (4 + 8 * UInt32($0))) }
    return [UInt8(extra) << 6 | UInt8(length & 0xf)] + rest + body
  }
}

/// Resources of a device (ACPI specification, section 6.4).
extension AML {
  /// A list of them, as `_CRS` has it.
  static func resources(_ descriptors: [[UInt8]]) -> [UInt8] {
    let endTag: [UInt8] = [0x79, 0]
    let bytes = descriptors.flatMap(\.self) + endTag
    return [Opcode.buffer] + sized(integer(UInt64(bytes.count)) + bytes)
  }

  /// Ports that a device decodes at a fixed place, at most 255 of them.
  static func ports(_ range: ClosedRange<UInt16>) -> [UInt8] {
    // Decodes 16 bits; from, to, alignment, length.
    [0x47, 1] + bytes(range.lowerBound, range.lowerBound) + [1, UInt8(truncatingIfNeeded: range.count)]
  }

  /// An ISA line, edge-triggered and active high.
  static func line(_ number: UInt8) -> [UInt8] { [0x22] + bytes(UInt16(1) << UInt16(number)) }

  /// The buses behind a bridge.
  static func busNumbers(_ range: ClosedRange<UInt16>) -> [UInt8] { window(0x88, type: 2, flags: 0, range) }

  /// The ports behind a bridge.
  static func portWindow(_ range: ClosedRange<UInt16>) -> [UInt8] { window(0x88, type: 1, flags: 3, range) }

  /// The memory behind a bridge: uncached, to be read and written.
  static func memoryWindow(_ range: ClosedRange<UInt32>) -> [UInt8] { window(0x87, type: 0, flags: 1, range) }

  /// An address space descriptor: produced, its minimum and maximum fixed; granularity, from, to, translation, length.
  private static func window<Address: FixedWidthInteger & UnsignedInteger>(
    _ tag: UInt8, type: UInt8, flags: UInt8, _ range: ClosedRange<Address>
  ) -> [UInt8] {
    [tag] + bytes(UInt16(3 + 5 * MemoryLayout<Address>.size)) + [type, 0x0c, flags]
      + bytes(0, range.lowerBound, range.upperBound, 0, range.upperBound - range.lowerBound + 1)
  }

  private static func bytes<Value: FixedWidthInteger>(_ values: Value...) -> [UInt8] {
    values.reduce(into: []) { $0.appendLittleEndian($1) }
  }
}

/// The definitions of a PC's DSDT: how it is switched off, PCI bus 0 with its windows and its lines, and COM1.
enum PCDefinitions {
  /// The devices on the bus that have lines: all but the host bridge.
  private static let devices: ClosedRange<UInt64> = 1...31
  /// PCI's lines lead to the eight IOAPIC pins beyond ISA's.
  private static let pins: UInt64 = 8

  static var bytes: [UInt8] {
    // SLP_TYPa and SLP_TYPb of S5 (ACPI specification, section 7.4.2), and two reserved.
    let type = AML.integer(UInt64(PowerManagementEvents.switchOffType))
    let switchOff = AML.package([type, type, AML.integer(0), AML.integer(0)])
    return AML.name("\\_S5_", switchOff) + AML.scope("\\_SB_", pciBus + serialPort)
  }

  /// Where the line of a device on PCI bus 0 leads: a GSI. The virtio devices' INTA# are where `VirtioPlace` has them.
  ///
  /// - Parameters:
  ///   - device: its number, 1 to 31.
  ///   - pin: 0 for INTA# to 3 for INTD#.
  static func line(ofDevice device: UInt64, pin: UInt64) -> UInt64 {
    UInt64(VirtioPlace.firstLine) + (device + pins - UInt64(VirtioPlace.firstSlot) + pin) % pins
  }

  private static var pciBus: [UInt8] {
    let windows = AML.resources([
      AML.busNumbers(0...0),
      AML.ports(0xcf8...0xcff),
      AML.portWindow(UInt16(PCIBus.portWindow.lowerBound)...UInt16(PCIBus.portWindow.upperBound - 1)),
      AML.memoryWindow(UInt32(PCIBus.memoryWindow.lowerBound)...UInt32(PCIBus.memoryWindow.upperBound - 1)),
    ])
    // A device in the upper word, all of its functions in the lower; no link device, a GSI (section 6.2.13).
    let lines = devices.flatMap { device in
      (0...3 as ClosedRange<UInt64>).map { pin in
        AML.package([device << 16 | 0xffff, pin, 0, line(ofDevice: device, pin: pin)].map(AML.integer))
      }
    }
    return AML.device(
      "PCI0",
      AML.name("_HID", AML.identifier("PNP0A03")) + AML.name("_UID", AML.integer(0))
        + AML.name("_BBN", AML.integer(0)) + AML.name("_CRS", windows) + AML.name("_PRT", AML.package(lines)))
  }

  private static var serialPort: [UInt8] {
    let ports = UInt16(SerialPort.ports.lowerBound)...UInt16(SerialPort.ports.upperBound - 1)
    return AML.device(
      "COM1",
      AML.name("_HID", AML.identifier("PNP0501")) + AML.name("_UID", AML.integer(1))
        + AML.name("_CRS", AML.resources([AML.ports(ports), AML.line(UInt8(SerialPort.line))])))
  }
}
