import APIC
import KVM
import MachineState
import VMM

/// Lines of the IOAPIC, in the kernel and split, when the state is taken.
extension Scenario {
  /// Accepted, not served.
  static let snapshotRemoteIRR = Scenario(
    "snapshot.remote-irr", "Remote IRR is set after a restore, and the EOI of its interrupt clears it",
    exercises: ["kvm_get_ioapic", "kvm_set_ioapic", "kvm_ioapic_update_eoi_one", "KVM_SET_IRQCHIP"], body: serve)

  /// The same with the IOAPIC in user space.
  static let snapshotRemoteIRRSplit = Scenario(
    "snapshot.remote-irr-split", "Remote IRR of a split irqchip is set after a restore, and the EOI exit clears it",
    exercises: ["kvm_ioapic_send_eoi", "kvm_scan_ioapic_routes", "KVM_EXIT_IOAPIC_EOI"], configure: useSplitIRQChip,
    body: serve)

  private static let serve: Body = { test in
    let vcpu = test[vcpu: 0]
    try vcpu.disableInterrupts()
    try test.setRedirection(
      pin: 20, RedirectionEntry(vector: 0x66, destination: vcpu.destination, triggerMode: .level))
    try test.stimulus { try test.setLine(20, to: true) }
    try test.setLine(20, to: false)
    try test.hop()
    try test.check("remote IRR is set", try test.redirection(pin: 20).remoteIRR)
    try vcpu.enableInterrupts()
    try test.expect(1, of: 0x66, on: 0)
    try test.until("the EOI has cleared remote IRR") { try !test.redirection(pin: 20).remoteIRR }
    try test.setLine(20, to: true)
    try test.expectAtLeast(2, of: 0x66, on: 0)
    try test.setLine(20, to: false)
  }

  /// In service.
  static let snapshotLevelInService = Scenario(
    "snapshot.level-in-service", "A level interrupt whose handler runs holds remote IRR over a restore until its EOI",
    vcpus: 2, exercises: ["kvm_set_ioapic", "kvm_ioapic_update_eoi_one", "apic_find_highest_isr"],
    needs: [.trait(.inService)], body: finishService)

  /// The same with the IOAPIC in user space.
  static let snapshotLevelInServiceSplit = Scenario(
    "snapshot.level-in-service-split",
    "A split irqchip hears after a restore of the EOI of a level interrupt in service before it",
    vcpus: 2, exercises: ["kvm_ioapic_send_eoi", "kvm_scan_ioapic_routes", "KVM_EXIT_IOAPIC_EOI"],
    needs: [.trait(.inService)], configure: useSplitIRQChip, body: finishService)

  private static let finishService: Body = { test in
    let vcpu = test[vcpu: 1]
    try vcpu.handle(0x69, [.holds, .acknowledges])
    try test.setRedirection(
      pin: 19, RedirectionEntry(vector: 0x69, destination: vcpu.destination, triggerMode: .level))
    try test.stimulus { try test.setLine(19, to: true) }
    try test.expect(1, of: 0x69, on: 1, unfenced: "its handler runs")
    try test.setLine(19, to: false)
    let state = try test.hop()
    try test.check("the ISR", state.vcpus[1].localAPIC.inService, equals: [0x69])
    try test.check("remote IRR is set in service", try test.redirection(pin: 19).remoteIRR)
    try vcpu.openGate()
    try test.until("the EOI has cleared remote IRR") { try !test.redirection(pin: 19).remoteIRR }
    try test.expect(1, of: 0x69, on: 1)
  }

  /// A line that stays high.
  static let snapshotLevel = Scenario(
    "snapshot.level", "A level line that is high interrupts again and again after a restore, until it is lowered",
    exercises: ["kvm_set_ioapic", "kvm_ioapic_inject_all", "kvm_ioapic_update_eoi_one"], body: serveAgain)

  /// The same with the IOAPIC in user space.
  static let snapshotLevelSplit = Scenario(
    "snapshot.level-split", "A level line of a split irqchip that is high interrupts after a restore until lowered",
    exercises: ["kvm_ioapic_send_eoi", "kvm_scan_ioapic_routes", "KVM_EXIT_IOAPIC_EOI"], configure: useSplitIRQChip,
    body: serveAgain)

  private static let serveAgain: Body = { test in
    let vcpu = test[vcpu: 0]
    try vcpu.disableInterrupts()
    try test.setRedirection(
      pin: 21, RedirectionEntry(vector: 0x67, destination: vcpu.destination, triggerMode: .level))
    try test.stimulus { try test.setLine(21, to: true) }
    try test.hop()
    // A line that stays high may leave the guest no time for anything but its handler.
    try vcpu.beginEnablingInterrupts()
    try test.expectAtLeast(3, of: 0x67, on: 0)
    // Once more while it is served.
    try test.hop()
    let before = test.taken(0x67, on: 0)
    try test.expectAtLeast(before + 3, of: 0x67, on: 0)
    try test.setLine(21, to: false)
    try test.fence(0)
    let served = test.taken(0x67, on: 0)
    try test.expect(served, of: 0x67, on: 0)
    try test.until("remote IRR is clear") { try !test.redirection(pin: 21).remoteIRR }
  }

  /// High behind a mask.
  static let snapshotMaskedLevel = Scenario(
    "snapshot.masked-level", "A level line that is high behind a mask interrupts when it is unmasked after a restore",
    exercises: ["kvm_get_ioapic", "kvm_set_ioapic", "ioapic_write_indirect"], body: unmask)

  /// The same with the IOAPIC in user space.
  static let snapshotMaskedLevelSplit = Scenario(
    "snapshot.masked-level-split", "A split irqchip's line that is high behind a mask interrupts once unmasked",
    exercises: ["kvm_scan_ioapic_routes", "KVM_SET_GSI_ROUTING", "KVM_EXIT_IOAPIC_EOI"], configure: useSplitIRQChip,
    body: unmask)

  private static let unmask: Body = { test in
    let vcpu = test[vcpu: 0]
    var entry = RedirectionEntry(vector: 0x68, destination: vcpu.destination, triggerMode: .level, isMasked: true)
    try vcpu.handle(0x68, [.lowers, .acknowledges], parameter: 22)
    try test.setRedirection(pin: 22, entry)
    try test.stimulus { try test.setLine(22, to: true) }
    try test.hop()
    try test.expectNone(of: 0x68, on: 0)
    entry.isMasked = false
    try test.rewriteRedirection(pin: 22, entry)
    try test.expectAtLeast(1, of: 0x68, on: 0)
    try test.until("remote IRR is clear") { try !test.redirection(pin: 22).remoteIRR }
  }

  /// An edge that a vCPU has not taken.
  static let snapshotEdge = Scenario(
    "snapshot.edge", "An edge that waits in the IRR is taken once after a restore, and its pin takes the next",
    exercises: ["kvm_set_ioapic", "ioapic_set_irq", "kvm_apic_set_state"], body: edge)

  /// The same with the IOAPIC in user space.
  static let snapshotEdgeSplit = Scenario(
    "snapshot.edge-split", "An edge at a split irqchip is taken once after a restore, and its pin takes the next",
    exercises: ["kvm_send_userspace_msi", "KVM_CAP_SPLIT_IRQCHIP", "kvm_apic_set_state"], configure: useSplitIRQChip,
    body: edge)

  private static let edge: Body = { test in
    let vcpu = test[vcpu: 0]
    try vcpu.disableInterrupts()
    try test.setRedirection(pin: 4, RedirectionEntry(vector: 0x61, destination: vcpu.destination))
    try test.stimulus { try test.setLine(4, to: true) }
    try test.hop()
    try vcpu.enableInterrupts()
    try test.expect(1, of: 0x61, on: 0)
    try test.setLine(4, to: false)
    try test.setLine(4, to: true)
    try test.expect(2, of: 0x61, on: 0)
  }
}
