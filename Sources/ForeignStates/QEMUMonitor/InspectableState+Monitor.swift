import KVM
import MachineState

extension InspectableState {
  /// What QEMU's monitor printed: `info lapic`, `info pic`, `info registers`.
  ///
  /// - Parameter text: the text, with whatever other lines are around it.
  /// - Throws: `ForeignStateError` for a text that has nothing of the monitor's, or a damaged line.
  public init(monitor text: [UInt8]) throws(ForeignStateError) {
    let text = try MonitorText(text)
    guard !text.isEmpty else {
      throw ForeignStateError(.monitor, at: 0, "the lines of 'info lapic', 'info pic' or 'info registers' expected")
    }
    self.init(format: .monitor)
    for (position, (number, vcpu)) in text.vcpus.sorted(by: { $0.key < $1.key }).enumerated() {
      if position != number { remarks.append("vCPU \(position) is QEMU's CPU \(number)") }
      append(InspectableVCPU(index: position, values: vcpu.values, absent: vcpu.absent))
    }
    machine.settings.hasIRQChip = true
    if let chip = text.ioapic {
      machine.ioapic = chip
      fill(.ioapic)
    }
    if text.hasOtherIOAPICs { remarks.append("the text has further IOAPICs, which are not shown") }
    if let master = text.pics[0], let slave = text.pics[1] {
      machine.pics = MachineState.PICPair(master: master, slave: slave)
      fill(.pics)
    }
  }

  /// Whether a text has lines of the monitor's.
  static func isMonitorText(_ text: [UInt8]) -> Bool {
    guard let found = try? MonitorText(text) else { return true }
    return !found.isEmpty
  }
}
