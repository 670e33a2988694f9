import APIC
import GuestContract

extension Measurement {
  /// Changes of the task priority.
  static let taskPriority = [
    cost("tpr", "A write of 0x10 to the TPR", modes: [.xAPIC, .x2APIC], .taskPriority),
    cost("cr8", "A write of 1 to CR8", .writeCR8),
  ]
}
