import APIC
import GuestContract

extension Measurement {
  /// An IPI that its sender takes.
  static let selfIPI = Measurement(
    "ipi.self", "An IPI to oneself", .latency, span: "from before the write to the ICR to the handler",
    modes: [.xAPIC, .x2APIC], by: .guest(.selfIPI, target: .running, vcpus: 1))
}
