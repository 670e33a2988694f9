/// What an interrupt message does to the processor that it reaches (SDM volume 3A, sections 12.5.1, 12.6.1 and 12.11.2).
///
/// Encoding 3 is reserved. Registers that may hold it give their mode as an optional, where `nil` is that encoding.
public enum DeliveryMode: UInt8, Sendable {
  /// Delivers the vector to every processor of the destination.
  case fixed = 0
  /// Delivers the vector to one processor of the destination.
  case lowestPriority = 1
  /// Raises a system-management interrupt.
  case smi = 2
  /// Raises a non-maskable interrupt; the vector is ignored.
  case nmi = 4
  /// Resets the processor to wait for a start-up message: an INIT.
  case initialize = 5
  /// Starts the processor in the 4 KiB page that the vector names: a SIPI.
  case startUp = 6
  /// Takes the vector from an external controller: an ExtINT.
  case external = 7

  /// The encoding that means no mode.
  static var reservedEncoding: UInt8 { 3 }
}

#if !hasFeature(Embedded)
extension DeliveryMode: CaseIterable {}

extension DeliveryMode: CustomStringConvertible {
  /// The mode's name in the SDM.
  public var description: String {
    switch self {
    case .fixed: "Fixed"
    case .lowestPriority: "Lowest Priority"
    case .smi: "SMI"
    case .nmi: "NMI"
    case .initialize: "INIT"
    case .startUp: "Start Up"
    case .external: "ExtINT"
    }
  }
}
#endif

/// Whether an interrupt is a moment or a state (SDM volume 3A, sections 12.5.1 and 12.8.4).
public enum TriggerMode: UInt8, Sendable {
  /// Each rising edge is one interrupt.
  case edge = 0
  /// The interrupt stays pending for as long as its source asserts it, and an EOI is broadcast to the IOAPICs.
  case level = 1
}

/// The electrical level at which a pin is asserted (SDM volume 3A, section 12.5.1).
public enum Polarity: UInt8, Sendable {
  /// Asserted at the high level.
  case activeHigh = 0
  /// Asserted at the low level, as PCI interrupt pins are.
  case activeLow = 1
}

#if !hasFeature(Embedded)
extension TriggerMode: CaseIterable {}
extension Polarity: CaseIterable {}
#endif
