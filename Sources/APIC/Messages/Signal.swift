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
