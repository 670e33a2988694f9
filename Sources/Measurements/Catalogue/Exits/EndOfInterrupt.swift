import APIC
import GuestContract

extension Measurement {
  /// The end of an edge-triggered interrupt's service.
  static let endOfInterrupt = cost(
    "eoi", "The EOI of an edge-triggered interrupt", modes: [.xAPIC, .x2APIC], .endOfInterrupt)
}
