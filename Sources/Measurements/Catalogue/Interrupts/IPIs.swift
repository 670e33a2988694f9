import APIC
import GuestContract

extension Measurement {
  /// An IPI to another vCPU, with a physical destination.
  static let ipis = latencies(
    "ipi", "An IPI", from: "the write to the ICR", modes: [.xAPIC, .x2APIC], .ipi)
}
