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
