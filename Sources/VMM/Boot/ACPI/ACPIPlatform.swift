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
