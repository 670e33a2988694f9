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
