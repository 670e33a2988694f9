import APIC
import KVM
import VMM

/// Virtio devices when the state is taken in the midst of their traffic.
extension Scenario {
  /// A request that was notified right before, and one that nobody was notified of yet.
  static let virtioSnapshot = Scenario(
    "virtio.snapshot", "No completion of a virtio device is lost or doubled where its machine goes on from a snapshot",
    vcpus: 2, exercises: ["irqfd_shutdown", "kvm_irqfd_assign", "KVM_IOEVENTFD", "KVM_SET_GSI_ROUTING"],
    needs: virtioNeeds, configure: addEntropy
  ) { test in
    var device = try AgentVirtio(test)
    try device.route(0x73, to: 1)
    try device.setMask(false)
    var count = 0
    for _ in 0..<5 {
      // Carried out before, during or after the capture, as it comes.
      try test.stimulus { try device.request() }
      try test.hop()
      count += 1
      try test.expect(count, of: 0x73, on: 1)
      // The device's thread stands still: whoever goes on finds it.
      try test.hop(whilePaused: { try device.makeAvailable() })
      count += 1
      try test.expect(count, of: 0x73, on: 1)
      // Everything works as before.
      try device.request()
      count += 1
      try test.expect(count, of: 0x73, on: 1)
      try device.untilCompleted()
    }
  }

  /// Pending bits.
  static let virtioSnapshotPending = Scenario(
    "virtio.snapshot.pending", "A vector that is masked and pending when the state is taken interrupts once unmasked",
    vcpus: 2, exercises: ["kvm_irqfd_assign", "KVM_SET_GSI_ROUTING", "PCI 3.0 6.8.3.4"], needs: virtioNeeds,
    configure: addEntropy
  ) { test in
    var device = try AgentVirtio(test)
    try device.route(0x73, to: 1)
    try device.request()
    try device.untilCompleted()
    try test.until("the vector is pending") { try device.isPending() }
    try test.hop()
    try test.check("the vector is pending after the restore", try device.isPending())
    try test.expectNone(of: 0x73, on: 1)
    try test.stimulus { try device.setMask(false) }
    try test.expect(1, of: 0x73, on: 1)
  }
}
