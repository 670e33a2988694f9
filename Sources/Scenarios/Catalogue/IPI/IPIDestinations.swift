import APIC
import VMM

extension Scenario {
  /// To a vCPU inside the guest.
  static let ipiRunning = Scenario(
    "ipi.running", "An IPI interrupts a vCPU that runs", vcpus: 2,
    exercises: ["kvm_irq_delivery_to_apic_fast", "vmx_deliver_posted_interrupt", "SDM 3A 12.6.1"],
    path: .postedOrSoftware
  ) { test in
    let times = 20
    try test.warmUp(1, from: 0)
    try test[vcpu: 1].spin(until: 0x52, reaches: times)
    try test.stimulus { try test.sendToRunning(.interrupt(0x52, to: test[vcpu: 1].destination), from: 0, times: times) }
    try test.expect(times, of: 0x52, on: 1)
    try test.expectNone(of: 0x52, on: 0)
  }

  /// To a vCPU that KVM has put to sleep.
  static let ipiHalted = Scenario(
    "ipi.halted", "An IPI wakes a halted vCPU", vcpus: 2,
    exercises: ["kvm_apic_set_irq", "kvm_vcpu_wake_up", "SDM 3A 12.6.1"]
  ) { test in
    try test[vcpu: 1].halt()
    try test.stimulus { try test[vcpu: 0].send(.interrupt(0x53, to: test[vcpu: 1].destination)) }
    try test.expect(1, of: 0x53, on: 1)
    try test[vcpu: 1].finishHalt()
  }
}

extension Scenario {
  /// The shorthand "self" of the ICR.
  static let ipiSelf = Scenario(
    "ipi.self", "An IPI with the shorthand 'self' interrupts its sender",
    exercises: ["kvm_apic_send_ipi", "SDM 3A 12.6.1"]
  ) { test in
    let vcpu = test[vcpu: 0]
    try test.stimulus { try vcpu.send(.toSelf(0x51)) }
    try test.expect(1, of: 0x51, on: 0)
  }

  /// The register that x2APIC mode has for it.
  static let ipiSelfRegister = Scenario(
    "ipi.self-register", "A vector in SELF_IPI interrupts the processor that writes it, and no other",
    modes: [.x2APIC], vcpus: 2, exercises: ["kvm_apic_send_ipi", "handle_apic_write", "SDM 3A 12.12.11"]
  ) { test in
    try test.stimulus { try test[vcpu: 1].write(.selfIPI, 0x54) }
    try test.expect(1, of: 0x54, on: 1)
    try test.expectNone(of: 0x54, on: 0)
  }
}

extension Scenario {
  /// The shorthand "all including self".
  static let ipiAll = Scenario(
    "ipi.all-including-self", "An IPI to all including self interrupts every processor once", vcpus: 3,
    exercises: ["kvm_irq_delivery_to_apic", "kvm_apic_match_dest", "SDM 3A 12.6.1"]
  ) { test in
    try test.stimulus {
      try test[vcpu: 1].send(InterruptCommand(vector: 0x55, shorthand: .allIncludingSelf))
    }
    for vcpu in 0..<3 { try test.expect(1, of: 0x55, on: vcpu) }
  }

  /// The shorthand "all excluding self".
  static let ipiOthers = Scenario(
    "ipi.all-excluding-self", "An IPI to all excluding self interrupts every processor but its sender", vcpus: 3,
    exercises: ["kvm_irq_delivery_to_apic", "kvm_apic_match_dest", "SDM 3A 12.6.1"]
  ) { test in
    try test.stimulus {
      try test[vcpu: 1].send(InterruptCommand(vector: 0x56, shorthand: .allExcludingSelf))
    }
    for vcpu in [0, 2] { try test.expect(1, of: 0x56, on: vcpu) }
    try test.expectNone(of: 0x56, on: 1)
  }

  /// The broadcast id of the mode, as a physical destination.
  static let ipiBroadcast = Scenario(
    "ipi.broadcast", "An IPI to the broadcast id interrupts every processor, its sender too", vcpus: 3,
    exercises: ["kvm_apic_broadcast", "SDM 3A 12.6.2.1", "SDM 3A 12.12.9"]
  ) { test in
    let everyone: Destination = test.mode == .x2APIC ? .x2APICBroadcast : .xAPICBroadcast
    try test.stimulus { try test[vcpu: 0].send(.interrupt(0x57, to: everyone)) }
    for vcpu in 0..<3 { try test.expect(1, of: 0x57, on: vcpu) }
  }
}

/// Three processors of the first cluster of x2APIC ids, and one of the second.
private func useTwoClusters(_ configuration: inout MachineConfiguration) { configuration.vcpuIDs = [0, 1, 15, 17] }

extension Scenario {
  /// One bit a processor.
  static let ipiFlat = Scenario(
    "ipi.logical-flat", "A logical destination in the flat model selects the processors whose bit is set",
    modes: [.xAPIC], vcpus: 3, exercises: ["kvm_recalculate_logical_map", "kvm_apic_match_dest", "SDM 3A 12.6.2.2"]
  ) { test in
    for vcpu in test.vcpus {
      try vcpu.write(.destinationFormat, DestinationFormat.flat.registerValue)
      try vcpu.write(.logicalDestination, 1 << (24 + UInt32(vcpu.index)))
    }
    try test.stimulus { try test[vcpu: 1].send(.interrupt(0x58, to: .xAPICFlat(members: 0b101))) }
    for vcpu in [0, 2] { try test.expect(1, of: 0x58, on: vcpu) }
    try test.expectNone(of: 0x58, on: 1)
  }

  /// A cluster in the upper half, its members in the lower half.
  static let ipiFlatCluster = Scenario(
    "ipi.logical-flat-cluster", "A logical destination in the cluster model selects members of one cluster",
    modes: [.xAPIC], vcpus: 4, exercises: ["kvm_recalculate_logical_map", "kvm_apic_match_dest", "SDM 3A 12.6.2.2"]
  ) { test in
    let addresses: [UInt32] = [0x11, 0x12, 0x14, 0x21]
    for (vcpu, address) in zip(test.vcpus, addresses) {
      try vcpu.write(.destinationFormat, DestinationFormat.cluster.registerValue)
      try vcpu.write(.logicalDestination, address << 24)
    }
    try test.stimulus {
      try test[vcpu: 0].send(.interrupt(0x59, to: .xAPICCluster(cluster: 1, members: 0b101)))
      try test[vcpu: 0].send(.interrupt(0x5a, to: .xAPICCluster(cluster: 2, members: 0b1)))
    }
    for vcpu in [0, 2] { try test.expect(1, of: 0x59, on: vcpu) }
    try test.expect(1, of: 0x5a, on: 3)
    for vcpu in [1, 3] { try test.expectNone(of: 0x59, on: vcpu) }
    for vcpu in [0, 1, 2] { try test.expectNone(of: 0x5a, on: vcpu) }
  }

  /// Logical ids that the hardware derives.
  static let ipiX2APICCluster = Scenario(
    "ipi.logical-x2apic-cluster", "A logical destination of x2APIC mode selects members of one cluster of 16",
    modes: [.x2APIC], vcpus: 4, exercises: ["kvm_recalculate_logical_map", "kvm_apic_match_dest", "SDM 3A 12.12.10.1"],
    configure: useTwoClusters
  ) { test in
    try test.stimulus {
      try test[vcpu: 0].send(.interrupt(0x5b, to: .x2APICCluster(cluster: 0, members: 1 << 15 | 1 << 0)))
      try test[vcpu: 0].send(.interrupt(0x5c, to: .x2APICCluster(cluster: 1, members: 1 << 1)))
    }
    for vcpu in [0, 2] { try test.expect(1, of: 0x5b, on: vcpu) }
    try test.expect(1, of: 0x5c, on: 3)
    for vcpu in [1, 3] { try test.expectNone(of: 0x5b, on: vcpu) }
    for vcpu in [0, 1, 2] { try test.expectNone(of: 0x5c, on: vcpu) }
  }

  /// One of many.
  static let ipiLowestPriority = Scenario(
    "ipi.lowest-priority", "A lowest-priority IPI interrupts exactly one of the processors it is addressed to",
    vcpus: 3,
    exercises: ["kvm_apic_map_get_dest_lapic", "kvm_vector_to_index", "kvm_apic_compare_prio", "SDM 3A 12.6.2.4"]
  ) { test in
    if test.mode == .xAPIC {
      for vcpu in test.vcpus { try vcpu.write(.logicalDestination, 1 << (24 + UInt32(vcpu.index))) }
    }
    let destination: Destination =
      test.mode == .x2APIC ? .x2APICCluster(cluster: 0, members: 0b110) : .xAPICFlat(members: 0b110)
    let vectors: [Vector] = [0x61, 0x62, 0x63, 0x64]
    try test.stimulus {
      for vector in vectors {
        try test[vcpu: 0].send(
          InterruptCommand(vector: vector, deliveryMode: .lowestPriority, destination: destination))
      }
    }
    for vector in vectors {
      try test.until("somebody takes \(vector)") { test.recorded(vector) > 0 }
    }
    for vcpu in 1...2 { try test.fence(vcpu) }
    for vector in vectors {
      try test.expectNone(of: vector, on: 0)
      try test.check("how many processors take \(vector)", test.recorded(vector), equals: 1)
    }
  }
}

/// Three processors, of which two share the low 8 bits of their ids.
private func useWideIDs(_ configuration: inout MachineConfiguration) { configuration.vcpuIDs = [0, 44, 300] }

/// Three processors, of which one has the id that is xAPIC mode's broadcast.
private func useID255(_ configuration: inout MachineConfiguration) { configuration.vcpuIDs = [0, 1, 255] }

extension Scenario {
  /// A physical destination above 255.
  static let ipiWidePhysical = Scenario(
    "ipi.wide-id.physical", "A physical destination above 255 is told apart by all its bits", modes: [.x2APIC],
    vcpus: 3, exercises: ["kvm_recalculate_phys_map", "KVM_X2APIC_API_USE_32BIT_IDS", "SDM 3A 12.12.9"],
    configure: useWideIDs
  ) { test in
    try test.stimulus {
      try test[vcpu: 0].send(.interrupt(0x74, to: .physical(300)))
      try test[vcpu: 2].send(.interrupt(0x75, to: .physical(44)))
    }
    try test.expect(1, of: 0x74, on: 2)
    try test.expect(1, of: 0x75, on: 1)
    for vcpu in [0, 1] { try test.expectNone(of: 0x74, on: vcpu) }
    for vcpu in [0, 2] { try test.expectNone(of: 0x75, on: vcpu) }
  }

  /// A logical destination in a cluster above 15.
  static let ipiWideLogical = Scenario(
    "ipi.wide-id.logical", "The logical id that is derived from an id above 255 reaches it", modes: [.x2APIC],
    vcpus: 3, exercises: ["kvm_apic_calc_x2apic_ldr", "kvm_recalculate_logical_map", "SDM 3A 12.12.10.2"],
    configure: useWideIDs
  ) { test in
    try test.stimulus { try test[vcpu: 0].send(.interrupt(0x76, to: .x2APICLogical(id: 300))) }
    try test.expect(1, of: 0x76, on: 2)
    for vcpu in [0, 1] { try test.expectNone(of: 0x76, on: vcpu) }
  }

  /// 0xffffffff.
  static let ipiWideBroadcast = Scenario(
    "ipi.wide-id.broadcast", "The broadcast of 32 bits reaches ids above 255 too", modes: [.x2APIC], vcpus: 3,
    exercises: ["kvm_apic_broadcast", "SDM 3A 12.12.9"], configure: useWideIDs
  ) { test in
    try test.stimulus { try test[vcpu: 2].send(.interrupt(0x77, to: .x2APICBroadcast)) }
    for vcpu in 0..<3 { try test.expect(1, of: 0x77, on: vcpu) }
  }

  /// 0xff, which is the broadcast of xAPIC mode only.
  static let ipiID255 = Scenario(
    "ipi.wide-id.255", "In x2APIC mode 255 is the id of one processor and no broadcast", modes: [.x2APIC], vcpus: 3,
    exercises: ["kvm_apic_broadcast", "KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK", "SDM 3A 12.12.9"],
    configure: useID255
  ) { test in
    try test.stimulus { try test[vcpu: 0].send(.interrupt(0x78, to: .physical(255))) }
    try test.expect(1, of: 0x78, on: 2)
    for vcpu in [0, 1] { try test.expectNone(of: 0x78, on: vcpu) }
  }
}
