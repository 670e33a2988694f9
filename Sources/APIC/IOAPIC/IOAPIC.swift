/// Where an IOAPIC lies in memory, and what lies there (82093AA data sheet, section 3.1).
public enum IOAPIC {
  /// Where the first IOAPIC of a PC lies, and where KVM puts its own.
  public static var defaultAddress: UInt64 { 0xfec0_0000 }

  /// The pins of the 82093AA and of KVM's IOAPIC (`KVM_IOAPIC_NUM_PINS`).
  public static var pinCount: Int { 24 }

  /// The offset of IOREGSEL, which takes the index of an `IOAPICRegister`.
  public static var registerSelectOffset: UInt64 { 0x00 }

  /// The offset of IOWIN, through which the selected register is read and written.
  public static var windowOffset: UInt64 { 0x10 }

  /// The offset of the EOI register, which takes a vector; only chips of version 0x20 and above have it.
  public static var endOfInterruptOffset: UInt64 { 0x40 }
}
