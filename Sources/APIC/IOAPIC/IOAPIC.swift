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

/// A register of an IOAPIC, by the index that selects it (82093AA data sheet, section 3.2).
public struct IOAPICRegister: RawRepresentable, Hashable, Sendable {
  /// The index, which software writes to IOREGSEL.
  public var rawValue: UInt8

  /// The register with that index.
  public init(rawValue: UInt8) {
    self.rawValue = rawValue
  }

  /// IOAPICID: the chip's ID in bits 27:24.
  public static var id: IOAPICRegister { IOAPICRegister(rawValue: 0x00) }

  /// IOAPICVER, whose fields are `IOAPICVersion`.
  public static var version: IOAPICRegister { IOAPICRegister(rawValue: 0x01) }

  /// IOAPICARB: the arbitration ID in bits 27:24.
  public static var arbitration: IOAPICRegister { IOAPICRegister(rawValue: 0x02) }

  /// IOREDTBL: bits 31:0 of a pin's redirection entry.
  ///
  /// - Parameter pin: 0 to `IOAPICVersion.maxRedirectionEntry`.
  public static func redirectionLow(pin: Int) -> IOAPICRegister {
    IOAPICRegister(rawValue: UInt8(truncatingIfNeeded: 0x10 + 2 * pin))
  }

  /// IOREDTBL: bits 63:32 of a pin's redirection entry.
  ///
  /// - Parameter pin: 0 to `IOAPICVersion.maxRedirectionEntry`.
  public static func redirectionHigh(pin: Int) -> IOAPICRegister {
    IOAPICRegister(rawValue: UInt8(truncatingIfNeeded: 0x11 + 2 * pin))
  }
}

/// An IOAPIC's version register (82093AA data sheet, section 3.2.2).
public struct IOAPICVersion: RawRepresentable, Hashable, Sendable {
  /// The register's value.
  public var rawValue: UInt32

  /// The fields of that value of the register.
  public init(rawValue: UInt32) {
    self.rawValue = rawValue
  }

  /// Bits 7:0; from 0x20 on the chip has an EOI register.
  public var version: UInt8 {
    get { UInt8(truncatingIfNeeded: rawValue) }
    set { rawValue[bits: 0...7] = UInt32(newValue) }
  }

  /// Bits 23:16: one less than the number of pins.
  public var maxRedirectionEntry: UInt8 {
    get { UInt8(truncatingIfNeeded: rawValue[bits: 16...23]) }
    set { rawValue[bits: 16...23] = UInt32(newValue) }
  }
}
