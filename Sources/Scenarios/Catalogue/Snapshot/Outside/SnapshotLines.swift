import APIC
import KVM
import MachineState
import VMM

/// Lines of the IOAPIC, in the kernel and split, when the state is taken.
extension Scenario {
  /// Accepted, not served.
  static let snapshotRemoteIRR = Scenario(
    "snapshot.remote-irr", "Remote IRR is set after a restore, and the EOI of its interrupt clears it",
    exercises: ["kvm_get_ioapic", "kvm_set_ioapic", "kvm_ioapic_update_eoi_one", "KVM_SET_IRQCHIP"], story: serve)

  /// The same with the IOAPIC in user space.
  static let snapshotRemoteIRRSplit = Scenario(
    "snapshot.remote-irr-split", "Remote IRR of a split irqchip is set after a restore, and the EOI exit clears it",
    exercises: ["kvm_ioapic_send_eoi", "kvm_scan_ioapic_routes", "KVM_EXIT_IOAPIC_EOI"], configure: useSplitIRQChip,
    story: serve)

  private static let serve: Story = { stage in
    let vcpu = stage[vcpu: 0]
    try vcpu.disableInterrupts()
    try stage.setRedirection(
      pin: 20, RedirectionEntry(vector: 0x66, destination: vcpu.destination, triggerMode: .level))
    try stage.stimulus { try stage.setLine(20, to: true) }
    try stage.setLine(20, to: false)
    try stage.hop()
    try stage.check("remote IRR is set", try stage.redirection(pin: 20).remoteIRR)
    try vcpu.enableInterrupts()
    try stage.expect(1, of: 0x66, on: 0)
    try stage.until("the EOI has cleared remote IRR") { try !stage.redirection(pin: 20).remoteIRR }
    try stage.setLine(20, to: true)
    try stage.expectAtLeast(2, of: 0x66, on: 0)
    try stage.setLine(20, to: false)
  }

  /// In service.
  static let snapshotLevelInService = Scenario(
    "snapshot.level-in-service", "A level interrupt whose handler runs holds remote IRR over a restore until its EOI",
    vcpus: 2, exercises: ["kvm_set_ioapic", "kvm_ioapic_update_eoi_one", "apic_find_highest_isr"],
    needs: [.trait(.inService)], story: finishService)

  /// The same with the IOAPIC in user space.
  static let snapshotLevelInServiceSplit = Scenario(
    "snapshot.level-in-service-split",
    "A split irqchip hears after a restore of the EOI of a level interrupt in service before it",
    vcpus: 2, exercises: ["kvm_ioapic_send_eoi", "kvm_scan_ioapic_routes", "KVM_EXIT_IOAPIC_EOI"],
    needs: [.trait(.inService)], configure: useSplitIRQChip, story: finishService)

  private static let finishService: Story = { stage in
    let vcpu = stage[vcpu: 1]
    try vcpu.handle(0x69, [.holds, .acknowledges])
    try stage.setRedirection(
      pin: 19, RedirectionEntry(vector: 0x69, destination: vcpu.destination, triggerMode: .level))
    try stage.stimulus { try stage.setLine(19, to: true) }
    try stage.expect(1, of: 0x69, on: 1)
    try stage.setLine(19, to: false)
    let state = try stage.hop()
    try stage.check("the ISR", state.vcpus[1].localAPIC.inService, equals: [0x69])
    try stage.check("remote IRR is set in service", try stage.redirection(pin: 19).remoteIRR)
    try vcpu.openGate()
    try stage.until("the EOI has cleared remote IRR") { try !stage.redirection(pin: 19).remoteIRR }
    try stage.expectDrained(1, of: 0x69, on: 1)
  }

  /// A line that stays high.
  static let snapshotLevel = Scenario(
    "snapshot.level", "A level line that is high interrupts again and again after a restore, until it is lowered",
    exercises: ["kvm_set_ioapic", "kvm_ioapic_inject_all", "kvm_ioapic_update_eoi_one"], story: serveAgain)

  /// The same with the IOAPIC in user space.
  static let snapshotLevelSplit = Scenario(
    "snapshot.level-split", "A level line of a split irqchip that is high interrupts after a restore until lowered",
    exercises: ["kvm_ioapic_send_eoi", "kvm_scan_ioapic_routes", "KVM_EXIT_IOAPIC_EOI"], configure: useSplitIRQChip,
    story: serveAgain)

  private static let serveAgain: Story = { stage in
    let vcpu = stage[vcpu: 0]
    try vcpu.disableInterrupts()
    try stage.setRedirection(
      pin: 21, RedirectionEntry(vector: 0x67, destination: vcpu.destination, triggerMode: .level))
    try stage.stimulus { try stage.setLine(21, to: true) }
    try stage.hop()
    // A line that stays high may leave the guest no time for anything but its handler.
    try vcpu.beginEnablingInterrupts()
    try stage.expectAtLeast(3, of: 0x67, on: 0)
    // Once more while it is served.
    try stage.hop()
    let before = stage.taken(0x67, on: 0)
    try stage.expectAtLeast(before + 3, of: 0x67, on: 0)
    try stage.setLine(21, to: false)
    try stage.drain(0)
    let served = stage.taken(0x67, on: 0)
    try stage.expectDrained(served, of: 0x67, on: 0)
    try stage.until("remote IRR is clear") { try !stage.redirection(pin: 21).remoteIRR }
  }

  /// High behind a mask.
  static let snapshotMaskedLevel = Scenario(
    "snapshot.masked-level", "A level line that is high behind a mask interrupts when it is unmasked after a restore",
    exercises: ["kvm_get_ioapic", "kvm_set_ioapic", "ioapic_write_indirect"], story: unmask)

  /// The same with the IOAPIC in user space.
  static let snapshotMaskedLevelSplit = Scenario(
    "snapshot.masked-level-split", "A split irqchip's line that is high behind a mask interrupts once unmasked",
    exercises: ["kvm_scan_ioapic_routes", "KVM_SET_GSI_ROUTING", "KVM_EXIT_IOAPIC_EOI"], configure: useSplitIRQChip,
    story: unmask)

  private static let unmask: Story = { stage in
    let vcpu = stage[vcpu: 0]
    var entry = RedirectionEntry(vector: 0x68, destination: vcpu.destination, triggerMode: .level, isMasked: true)
    try vcpu.handle(0x68, [.lowers, .acknowledges], parameter: 22)
    try stage.setRedirection(pin: 22, entry)
    try stage.stimulus { try stage.setLine(22, to: true) }
    try stage.hop()
    try stage.expectDrained(0, of: 0x68, on: 0)
    entry.isMasked = false
    try stage.rewriteRedirection(pin: 22, entry)
    try stage.expectAtLeast(1, of: 0x68, on: 0)
    try stage.until("remote IRR is clear") { try !stage.redirection(pin: 22).remoteIRR }
  }

  /// An edge that a vCPU has not taken.
  static let snapshotEdge = Scenario(
    "snapshot.edge", "An edge that waits in the IRR is taken once after a restore, and its pin takes the next",
    exercises: ["kvm_set_ioapic", "ioapic_set_irq", "kvm_apic_set_state"], story: edge)

  /// The same with the IOAPIC in user space.
  static let snapshotEdgeSplit = Scenario(
    "snapshot.edge-split", "An edge at a split irqchip is taken once after a restore, and its pin takes the next",
    exercises: ["kvm_send_userspace_msi", "KVM_CAP_SPLIT_IRQCHIP", "kvm_apic_set_state"], configure: useSplitIRQChip,
    story: edge)

  private static let edge: Story = { stage in
    let vcpu = stage[vcpu: 0]
    try vcpu.disableInterrupts()
    try stage.setRedirection(pin: 4, RedirectionEntry(vector: 0x61, destination: vcpu.destination))
    try stage.stimulus { try stage.setLine(4, to: true) }
    try stage.hop()
    try vcpu.enableInterrupts()
    try stage.expect(1, of: 0x61, on: 0)
    try stage.setLine(4, to: false)
    try stage.setLine(4, to: true)
    try stage.expect(2, of: 0x61, on: 0)
  }
}
