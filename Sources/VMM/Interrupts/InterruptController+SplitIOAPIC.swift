import APIC
import KVM
import Synchronization

/// The IOAPIC of a split irqchip (KVM API, KVM_CAP_SPLIT_IRQCHIP): the pins' state is here, the messages go to KVM, and
/// KVM says when a level interrupt has been served.
extension InterruptController {
  func setSplitLine(pin: Int, to level: Bool) throws(KVMError) -> LineStatus {
    try apply { $0.setLine(pin: pin, to: level) }
  }

  /// A vCPU has ended the service of a level interrupt (KVM_EXIT_IOAPIC_EOI).
  func endOfInterrupt(_ vector: Vector) throws(KVMError) {
    try apply { $0.endOfInterrupt(vector) }
  }

  func readSplitIOAPIC(at offset: UInt64) -> UInt32 {
    splitIOAPIC.withLock { $0.read(at: offset) }
  }

  func writeSplitIOAPIC(_ value: UInt32, at offset: UInt64) throws(KVMError) {
    try apply { $0.write(value, at: offset) }
  }

  /// Runs a change and sends what it asks for. The lock is held throughout, so that messages leave in the order of the
  /// changes.
  @discardableResult
  private func apply(_ change: (inout IOAPICModel) -> IOAPICModel.Effect) throws(KVMError) -> LineStatus {
    try splitIOAPIC.withLock { model throws(KVMError) in
      let effect = change(&model)
      if let pin = effect.rewrittenPin { try announce(model.entries[pin], of: pin) }
      var reached: UInt32 = 0
      for message in effect.messages where try signal(message) == .delivered { reached += 1 }
      if effect.isCoalesced { return .coalesced }
      return reached > 0 ? .delivered(reached) : .ignored
    }
  }

  /// Tells KVM what a pin sends. It never uses the route to deliver; it learns from it which vectors are level-triggered,
  /// and so need an exit at their EOI (kvm_scan_ioapic_routes).
  private func announce(_ entry: RedirectionEntry, of pin: Int) throws(KVMError) {
    let gsi = UInt32(pin)
    try setRoutes(entry.isMasked ? [] : [.msi(gsi: gsi, entry.message)], of: gsi)
  }
}
