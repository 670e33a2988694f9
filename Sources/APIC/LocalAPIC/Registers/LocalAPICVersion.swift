/// The version register (SDM volume 3A, section 12.4.8).
public struct LocalAPICVersion: RawRepresentable, Hashable, Sendable {
  /// The register's value.
  public var rawValue: UInt32

  /// The fields of that value of the register.
  public init(rawValue: UInt32) {
    self.rawValue = rawValue
  }

  /// Bits 7:0: 0x10 to 0x15 for a local APIC on the processor.
  public var version: UInt8 {
    get { UInt8(truncatingIfNeeded: rawValue) }
    set { rawValue[bits: 0...7] = UInt32(newValue) }
  }

  /// Bits 23:16: one less than the number of LVT entries.
  public var maxLVTEntry: UInt8 {
    get { UInt8(truncatingIfNeeded: rawValue[bits: 16...23]) }
    set { rawValue[bits: 16...23] = UInt32(newValue) }
  }

  /// Bit 24: whether the SVR can keep EOIs from the IOAPICs.
  public var supportsEOIBroadcastSuppression: Bool {
    get { rawValue[bit: 24] }
    set { rawValue[bit: 24] = newValue }
  }
}
