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

/// How xAPIC mode reads logical destinations: the DFR (SDM volume 3A, section 12.6.2.2).
public enum DestinationFormat: UInt8, Sendable {
  /// A cluster in the upper four bits, its members in the lower four.
  case cluster = 0b0000
  /// One bit for each of eight local APICs.
  case flat = 0b1111

  /// The model that a value of the register selects, or `nil` if it is neither.
  public init?(registerValue: UInt32) {
    self.init(rawValue: UInt8(truncatingIfNeeded: registerValue >> 28))
  }

  /// The register's value: the model in bits 31:28, ones below.
  public var registerValue: UInt32 { UInt32(rawValue) << 28 | 0x0fff_ffff }
}

#if !hasFeature(Embedded)
extension DestinationFormat: CaseIterable {}
#endif

/// The ESR: the errors that the local APIC saw since the last write to it (SDM volume 3A, section 12.5.3).
public struct ErrorStatus: RawRepresentable, Hashable, Sendable {
  /// The register's value.
  public let rawValue: UInt32

  /// The errors of that value of the register.
  public init(rawValue: UInt32) {
    self.rawValue = rawValue
  }

  /// Whether there was no error.
  public var isEmpty: Bool { rawValue == 0 }

  /// Whether all of those errors are among the errors.
  public func contains(_ errors: ErrorStatus) -> Bool {
    errors.rawValue & ~rawValue == 0
  }

  /// Bit 0: a checksum error in a message that it sent, on processors with an APIC bus.
  public static var sendChecksum: ErrorStatus { ErrorStatus(rawValue: 1 << 0) }
  /// Bit 1: a checksum error in a message that it received, on processors with an APIC bus.
  public static var receiveChecksum: ErrorStatus { ErrorStatus(rawValue: 1 << 1) }
  /// Bit 2: no local APIC accepted a message that it sent, on processors with an APIC bus.
  public static var sendAccept: ErrorStatus { ErrorStatus(rawValue: 1 << 2) }
  /// Bit 3: no local APIC, itself among them, accepted a message that it received, on processors with an APIC bus.
  public static var receiveAccept: ErrorStatus { ErrorStatus(rawValue: 1 << 3) }
  /// Bit 4: it was told to send a lowest-priority interrupt and cannot.
  public static var redirectableIPI: ErrorStatus { ErrorStatus(rawValue: 1 << 4) }
  /// Bit 5: it was told to send a vector below 16.
  public static var sendIllegalVector: ErrorStatus { ErrorStatus(rawValue: 1 << 5) }
  /// Bit 6: it received a vector below 16, or its own LVT entry has one.
  public static var receivedIllegalVector: ErrorStatus { ErrorStatus(rawValue: 1 << 6) }
  /// Bit 7: software reached for a register in memory that does not exist.
  public static var illegalRegisterAddress: ErrorStatus { ErrorStatus(rawValue: 1 << 7) }
}

#if !hasFeature(Embedded)
extension ErrorStatus: OptionSet {}

extension ErrorStatus: CustomStringConvertible {
  /// The SDM's names of the errors in the order of their bits, as in `{Send Illegal Vector}`.
  public var description: String {
    "{" + ErrorStatus.names.filter { contains($0.error) }.map(\.name).joined(separator: ", ") + "}"
  }

  private static let names: [(error: ErrorStatus, name: String)] = [
    (.sendChecksum, "Send Checksum Error"),
    (.receiveChecksum, "Receive Checksum Error"),
    (.sendAccept, "Send Accept Error"),
    (.receiveAccept, "Receive Accept Error"),
    (.redirectableIPI, "Redirectable IPI"),
    (.sendIllegalVector, "Send Illegal Vector"),
    (.receivedIllegalVector, "Received Illegal Vector"),
    (.illegalRegisterAddress, "Illegal Register Address"),
  ]
}
#endif
