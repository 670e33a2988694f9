/// IA32_APIC_BASE: whether a local APIC is on, in which mode, and where its registers lie (SDM volume 3A, section 12.4.4
/// and for x2APIC mode section 12.12.1).
public struct APICBase: RawRepresentable, Hashable, Sendable {
  /// The MSR's value.
  public var rawValue: UInt64

  /// The fields of that value of the MSR.
  public init(rawValue: UInt64) {
    self.rawValue = rawValue
  }

  /// A value made of its fields.
  ///
  /// - Parameters:
  ///   - address: Where the register page lies; a multiple of 4096.
  ///   - isBootstrapProcessor: Whether the processor started the machine.
  ///   - mode: The mode.
  public init(address: UInt64 = defaultAddress, isBootstrapProcessor: Bool = false, mode: APICMode = .xAPIC) {
    self.init(rawValue: 0)
    self.address = address
    self.isBootstrapProcessor = isBootstrapProcessor
    self.mode = mode
  }

  /// Where the register page lies after reset.
  ///
  /// Messages go to this megabyte wherever the page is moved.
  public static var defaultAddress: UInt64 { 0xfee0_0000 }

  /// Where the register page lies: bits 51:12, in place.
  public var address: UInt64 {
    get { rawValue[bits: 12...51] << 12 }
    set { rawValue[bits: 12...51] = newValue >> 12 }
  }

  /// Bit 8, BSP.
  public var isBootstrapProcessor: Bool {
    get { rawValue[bit: 8] }
    set { rawValue[bit: 8] = newValue }
  }

  /// Bit 10, EXTD.
  public var isX2APIC: Bool {
    get { rawValue[bit: 10] }
    set { rawValue[bit: 10] = newValue }
  }

  /// Bit 11, EN.
  public var isEnabled: Bool {
    get { rawValue[bit: 11] }
    set { rawValue[bit: 11] = newValue }
  }

  /// What bits 11 and 10 mean together.
  public var mode: APICMode {
    get {
      switch (isEnabled, isX2APIC) {
      case (false, false): .disabled
      case (true, false): .xAPIC
      case (true, true): .x2APIC
      case (false, true): .invalid
      }
    }
    set {
      isEnabled = newValue == .xAPIC || newValue == .x2APIC
      isX2APIC = newValue == .x2APIC || newValue == .invalid
    }
  }
}

/// The mode of a local APIC: what bits 11:10 of IA32_APIC_BASE select (SDM volume 3A, table 12-5).
public enum APICMode: Sendable {
  /// Off: the processor has no local APIC.
  case disabled
  /// Registers in memory, 8-bit IDs.
  case xAPIC
  /// Registers as MSRs, 32-bit IDs.
  case x2APIC
  /// Bit 10 without bit 11, which the processor refuses with a general-protection exception.
  case invalid
}

#if !hasFeature(Embedded)
extension APICMode: CaseIterable {}
#endif
