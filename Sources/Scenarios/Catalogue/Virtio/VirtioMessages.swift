import APIC
import KVM
import VMM

/// What a scenario with a virtio device needs.
let virtioNeeds: [Need] = [.capability(.irqFD), .capability(.ioEventFD)]

/// Completions of a virtio-rng by MSI-X.
extension Scenario {
  /// Gives the machine a virtio-rng.
  static func addEntropy(_ configuration: inout MachineConfiguration) { configuration.virtio = [.entropy] }

  /// From the driver's notification to the interrupt, with no exit that this process answers.
  static let virtioCompletion = Scenario(
    "virtio.msix.completion", "Each request of a virtio device interrupts a running vCPU once, by MSI-X", vcpus: 2,
    exercises: ["ioeventfd_write", "irqfd_wakeup", "kvm_arch_set_irq_inatomic", "KVM_IOEVENTFD", "KVM_IRQFD"],
    needs: virtioNeeds, path: .virtualDeliveryOrSoftware, configure: addEntropy
  ) { test in
    var device = try AgentVirtio(test)
    try device.route(0x71, to: 1)
    try device.setMask(false)
    let times = 10
    try test[vcpu: 1].spin(until: 0x71, reaches: times)
    try test.stimulus {
      for count in 1...times {
        try device.request()
        try test.until("interrupt \(count) is taken") { test.taken(0x71, on: 1) >= count }
      }
    }
    try test.expect(times, of: 0x71, on: 1)
    try test.expectNone(of: 0x71, on: 0)
    try test.check("requests that came back", try device.completed(), equals: UInt16(times))
  }

  /// To a vCPU that KVM has put to sleep.
  static let virtioHalted = Scenario(
    "virtio.msix.halted", "A request of a virtio device that completes wakes a halted vCPU, by MSI-X", vcpus: 2,
    exercises: ["irqfd_wakeup", "kvm_vcpu_wake_up", "KVM_IRQFD"], needs: virtioNeeds, configure: addEntropy
  ) { test in
    var device = try AgentVirtio(test)
    try device.route(0x71, to: 1)
    try device.setMask(false)
    for count in 1...3 {
      try test[vcpu: 1].halt()
      try test.untilHalted(1)
      try test.stimulus { try device.request() }
      try test.expect(count, of: 0x71, on: 1)
      try test[vcpu: 1].finishHalt()
    }
  }

  /// Masked by the vector's own bit.
  static let virtioMasked = Scenario(
    "virtio.msix.masked", "What completes while its MSI-X vector is masked is pending, and interrupts once unmasked",
    vcpus: 2, exercises: ["irqfd_wakeup", "kvm_irq_routing_update", "PCI 3.0 6.8.3.4", "KVM_SET_GSI_ROUTING"],
    needs: virtioNeeds, configure: addEntropy, body: { try mask($0) { try $0.setMask($1) } })

  /// Masked by the function's bit.
  static let virtioFunctionMasked = Scenario(
    "virtio.msix.function-masked",
    "What completes while the function's mask is set is pending, and interrupts once that is cleared",
    vcpus: 2, exercises: ["irqfd_wakeup", "kvm_irq_routing_update", "PCI 3.0 6.8.2.3"], needs: virtioNeeds,
    configure: addEntropy, body: { try mask($0) { try $0.setFunctionMask($1) } })

  private static func mask(_ test: TestContext, _ setMask: (AgentVirtio, Bool) throws -> Void) throws {
    var device = try AgentVirtio(test)
    try device.route(0x71, to: 1)
    try device.setMask(false)
    try device.request()
    try test.expect(1, of: 0x71, on: 1)
    try setMask(device, true)
    // Two that are pending are one interrupt.
    for _ in 0..<2 {
      try device.request()
      try device.untilCompleted()
    }
    try test.until("the vector is pending") { try device.isPending() }
    try test.expect(1, of: 0x71, on: 1)
    try test.stimulus { try setMask(device, false) }
    try test.expect(2, of: 0x71, on: 1)
    try test.check("nothing is pending any more", try !device.isPending())
    try device.request()
    try test.expect(3, of: 0x71, on: 1)
  }

  /// As irqbalance moves interrupts.
  static let virtioAffinity = Scenario(
    "virtio.msix.affinity", "A vector that moves from vCPU to vCPU while requests go on loses no completion", vcpus: 2,
    exercises: [
      "kvm_set_irq_routing", "kvm_irq_routing_update", "irqfd_update", "irqfd_wakeup", "KVM_SET_GSI_ROUTING",
    ],
    needs: virtioNeeds, configure: addEntropy
  ) { test in
    var device = try AgentVirtio(test)
    let rounds = 40
    try test.stimulus {
      for round in 0..<rounds {
        try device.request()
        try device.setMask(true)
        try device.route(0x71, to: round % 2)
        try device.setMask(false)
        try test.until("completion \(round + 1) interrupts") { test.recorded(0x71) > round }
      }
    }
    try device.untilCompleted()
    for vcpu in 0..<2 { try test.fence(vcpu) }
    test.note("on vCPU 1", test.taken(0x71, on: 1))
    try test.check("interrupts on both", test.recorded(0x71), equals: rounds)
  }

  /// Without MSI-X.
  static let virtioLine = Scenario(
    "virtio.line", "Without MSI-X a request raises the device's line, and reading its interrupt status lowers it",
    vcpus: 2, exercises: ["kvm_set_irq", "KVM_IRQ_LINE_STATUS", "virtio 1.2 4.1.4.5"], needs: virtioNeeds,
    configure: addEntropy
  ) { test in
    var device = try AgentVirtio(test, usesMessages: false)
    // An edge, so that each rise is one interrupt.
    try test.setRedirection(
      pin: Int(VirtioPlace.firstLine), RedirectionEntry(vector: 0x72, destination: test[vcpu: 1].destination))
    for round in 1...3 {
      try test.stimulus { try device.request() }
      try test.expect(round, of: 0x72, on: 1)
      try test.check("the interrupt status in round \(round)", try device.takeInterruptStatus(), equals: 1)
      try test.check("and after it was read", try device.takeInterruptStatus(), equals: 0)
    }
  }

  /// A driver that breaks its ring.
  static let virtioBroken = Scenario(
    "virtio.broken", "A request outside of guest memory has the device want a reset, after which it works again",
    vcpus: 2, exercises: ["irqfd_wakeup", "virtio 1.2 2.1.2"], needs: virtioNeeds, configure: addEntropy
  ) { test in
    var device = try AgentVirtio(test)
    try device.route(0x71, to: 1)
    try device.setMask(false)
    try test.stimulus {
      // Where the IOAPIC is: no memory. The device may find it before it is notified, since its thread looks once as it starts.
      try device.makeAvailable(at: IOAPIC.defaultAddress)
      try device.notify()
    }
    try test.until("the device wants a reset") { try device.status() & 64 != 0 }
    try device.request()
    try test.expectNone(of: 0x71, on: 1)
    var next = try AgentVirtio(test)
    try next.request()
    try test.expect(1, of: 0x71, on: 1)
  }
}

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
