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
