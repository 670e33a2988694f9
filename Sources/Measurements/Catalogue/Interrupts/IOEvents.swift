import GuestContract
import KVM

extension Measurement {
  /// A doorbell that KVM answers without the VMM: what ringing costs, and how long it takes to an interrupt where the
  /// eventfd is an irqfd too.
  static let ioEvents =
    [
      cost(
        "ioeventfd.out", "An OUT that signals an eventfd", needs: [.ioEventFD],
        stimulus: "has assigned an eventfd to the port", .writeEvent)
    ]
    + latencies(
      "ioeventfd.irqfd", "An eventfd that is ioeventfd and irqfd", from: "the OUT",
      needs: [.ioEventFD, .irqFD, .irqRouting], stimulus: "has assigned the eventfd to both", .eventIRQFD)
}
