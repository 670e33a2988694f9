import APIC

/// The memory-mapped registers of a split irqchip's IOAPIC.
final class SplitIOAPIC: BusDevice {
  /// The chip's page.
  static let addresses = IOAPIC.defaultAddress..<IOAPIC.defaultAddress + 0x1000

  private let interrupts: InterruptController
  private let stop: StopSwitch

  init(interrupts: InterruptController, stop: StopSwitch) {
    self.interrupts = interrupts
    self.stop = stop
  }

  func read(_ access: BusAccess) -> UInt64 { UInt64(interrupts.readSplitIOAPIC(at: access.offset)) }

  func write(_ value: UInt64, _ access: BusAccess) {
    do {
      try interrupts.writeSplitIOAPIC(UInt32(truncatingIfNeeded: value), at: access.offset)
    } catch {
      stop.stop(.runFailed(error, vcpu: access.vcpu))
    }
  }
}
