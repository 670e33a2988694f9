import GuestContract
import KVM

extension Measurement {
  /// An MSI that comes of a write to an eventfd, as a device of another thread or process sends it.
  static let irqfds = latencies(
    "msi.irqfd", "An MSI by an irqfd", from: "the OUT that asks for it", needs: [.irqFD, .irqRouting],
    stimulus: "answers the port exit with a write to the eventfd", .irqfd)
}
