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
