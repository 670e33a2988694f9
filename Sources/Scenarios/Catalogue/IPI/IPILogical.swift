import APIC
import VMM

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
