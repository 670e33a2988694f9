import GuestContract
import KVM

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
