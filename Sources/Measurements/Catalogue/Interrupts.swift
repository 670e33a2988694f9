import APIC
import GuestContract
import KVM

extension Measurement {
  /// An IPI that its sender takes.
  static let selfIPI = Measurement(
    "ipi.self", "An IPI to oneself", .latency, span: "from before the write to the ICR to the handler",
    modes: [.xAPIC, .x2APIC], by: .guest(.selfIPI, target: .running, vcpus: 1))
}

extension Measurement {
  /// An IPI to another vCPU, with a physical destination.
  static let ipis = latencies(
    "ipi", "An IPI", from: "the write to the ICR", modes: [.xAPIC, .x2APIC], .ipi)
}

extension Measurement {
  /// An MSI that the VMM sends by a call, as a device that is emulated there does.
  static let signalledMSIs = latencies(
    "msi.ioctl", "An MSI by KVM_SIGNAL_MSI", from: "the OUT that asks for it", needs: [.signalMSI],
    stimulus: "answers the port exit with KVM_SIGNAL_MSI", .signalMSI)
}

extension Measurement {
  /// An MSI that comes of a write to an eventfd, as a device of another thread or process sends it.
  static let irqfds = latencies(
    "msi.irqfd", "An MSI by an irqfd", from: "the OUT that asks for it", needs: [.irqFD, .irqRouting],
    stimulus: "answers the port exit with a write to the eventfd", .irqfd)
}

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

extension Measurement {
  /// The local APIC's timer, set for 1 ms. A moment that is counted from a write is counted from before it, so that the
  /// exit of that write is part of the lateness.
  static let oneShotTimer = lateness(
    "timer.oneshot", "A one-shot timer", from: "1 ms after the write of the count", .oneShot)

  /// Each period is counted from the write that began the burst of 16, so that lateness does not add up unseen.
  static let periodicTimer = lateness(
    "timer.periodic", "A periodic timer", from: "the end of its period", .periodic)

  /// The TSC itself says when.
  static let deadlineTimer = lateness(
    "timer.deadline", "A TSC-deadline timer", from: "the deadline", needs: [.tscDeadlineTimer], .deadline)
}
