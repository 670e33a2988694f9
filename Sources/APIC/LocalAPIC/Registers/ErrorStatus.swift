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
