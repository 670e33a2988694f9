/// The SVR: the local APIC's software switch, and the vector of an interrupt that is gone before it is taken (SDM volume
/// 3A, section 12.9).
public struct SpuriousInterruptVectorRegister: RawRepresentable, Hashable, Sendable {
  /// The register's value.
  public var rawValue: UInt32

  /// The fields of that value of the register.
  public init(rawValue: UInt32) {
    self.rawValue = rawValue
  }

  /// A value made of its fields.
  ///
  /// - Parameters:
  ///   - vector: The vector of a spurious interrupt.
  ///   - isSoftwareEnabled: Whether the local APIC accepts fixed interrupts.
  ///   - suppressesEOIBroadcast: Whether the EOI of a level-triggered interrupt stays from the IOAPICs.
  public init(vector: Vector = 0xff, isSoftwareEnabled: Bool = true, suppressesEOIBroadcast: Bool = false) {
    self.init(rawValue: 0)
    self.vector = vector
    self.isSoftwareEnabled = isSoftwareEnabled
    self.suppressesEOIBroadcast = suppressesEOIBroadcast
  }

  /// Bits 7:0.
  public var vector: Vector {
    get { rawValue.vector }
    set { rawValue.vector = newValue }
  }

  /// Bit 8: while it is clear, the local APIC takes no fixed interrupt and every LVT entry is masked.
  public var isSoftwareEnabled: Bool {
    get { rawValue[bit: 8] }
    set { rawValue[bit: 8] = newValue }
  }

  /// Bit 9, of old processors only.
  public var focusCheckingDisabled: Bool {
    get { rawValue[bit: 9] }
    set { rawValue[bit: 9] = newValue }
  }

  /// Bit 12, where `LocalAPICVersion.supportsEOIBroadcastSuppression`.
  public var suppressesEOIBroadcast: Bool {
    get { rawValue[bit: 12] }
    set { rawValue[bit: 12] = newValue }
  }
}
