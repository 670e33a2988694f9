import APIC
import KVM
import VMM

extension Scenario {
  /// Logical destinations: the flat model, or a cluster of x2APIC mode.
  static let msiLogical = Scenario(
    "msi.logical", "An MSI to a logical destination interrupts its members and nobody else", vcpus: 3,
    exercises: ["kvm_recalculate_apic_map", "kvm_apic_map_get_dest_lapic", "SDM 3A 12.6.2.2", "SDM 3A 12.12.10"]
  ) { test in
    try test.setFlatLogicalIDs()
    try test.stimulus { try test.signal(MSIMessage(vector: 0x71, destination: test.logicalDestination(of: 1, 2))) }
    try test.expect(1, of: 0x71, on: 1)
    try test.expect(1, of: 0x71, on: 2)
    try test.expectNone(of: 0x71, on: 0)
  }

  /// The cluster model of xAPIC mode.
  static let msiCluster = Scenario(
    "msi.cluster", "An MSI to a cluster interrupts its members and no other cluster's", modes: [.xAPIC], vcpus: 3,
    exercises: ["kvm_apic_map_get_logical_dest", "SDM 3A 12.6.2.2"]
  ) { test in
    // vCPU 0 is member 0 of cluster 1; vCPUs 1 and 2 are members 0 and 1 of cluster 2.
    for (vcpu, id) in zip(test.vcpus, [0x11, 0x21, 0x22] as [UInt32]) {
      try vcpu.write(.destinationFormat, DestinationFormat.cluster.registerValue)
      try vcpu.write(.logicalDestination, id << 24)
    }
    try test.stimulus {
      try test.signal(MSIMessage(vector: 0x71, destination: .xAPICCluster(cluster: 2, members: 0b11)))
      try test.signal(MSIMessage(vector: 0x72, destination: .xAPICCluster(cluster: 2, members: 0b10)))
    }
    for (vector, vcpu) in [(0x71, 1), (0x71, 2), (0x72, 2)] as [(Vector, Int)] {
      try test.expect(1, of: vector, on: vcpu)
    }
    for (vector, vcpu) in [(0x71, 0), (0x72, 0), (0x72, 1)] as [(Vector, Int)] {
      try test.expectNone(of: vector, on: vcpu)
    }
  }

  /// All of them.
  static let msiBroadcast = Scenario(
    "msi.broadcast", "An MSI to the broadcast id interrupts every vCPU once", vcpus: 3,
    exercises: ["kvm_apic_map_get_dest_lapic", "kvm_apic_broadcast", "SDM 3A 12.6.2.1", "SDM 3A 12.12.9"]
  ) { test in
    let everyone: Destination = test.mode == .x2APIC ? .x2APICBroadcast : .xAPICBroadcast
    try test.stimulus { try test.signal(MSIMessage(vector: 0x71, destination: everyone)) }
    for vcpu in test.vcpus { try test.expect(1, of: 0x71, on: vcpu.index) }
  }

  /// Delivery mode 1.
  static let msiLowestPriority = Scenario(
    "msi.lowest-priority", "An MSI with lowest priority interrupts exactly one of its destination", vcpus: 3,
    exercises: ["kvm_lowest_prio_delivery", "kvm_vector_to_index", "SDM 3A 12.6.2.4"]
  ) { test in
    try test.checkOneOfTwo { vector, destination in
      MSIMessage(vector: vector, destination: destination, deliveryMode: .lowestPriority)
    }
  }

  /// The redirection hint of the address.
  static let msiHint = Scenario(
    "msi.redirection-hint", "An MSI with the redirection hint interrupts exactly one of its destination", vcpus: 3,
    exercises: ["kvm_lowest_prio_delivery", "kvm_set_msi_irq", "SDM 3A 12.11.1"]
  ) { test in
    try test.checkOneOfTwo { vector, destination in
      MSIMessage(vector: vector, destination: destination, redirectionHint: true)
    }
  }

  /// Delivery mode 1, where one of two is off. KVM chooses by the vector among all that are addressed (vector_hashing), and
  /// drops the message where that one is off.
  static let msiLowestDisabled = Scenario(
    "msi.lowest-priority.disabled", "With lowest priority a disabled local APIC takes nothing, and no answer is wrong",
    vcpus: 3, exercises: ["kvm_lowest_prio_delivery", "kvm_apic_disabled_lapic_found", "SDM 3A 12.4.7.2"]
  ) { test in
    try test.setFlatLogicalIDs()
    let off = SpuriousInterruptVectorRegister(isSoftwareEnabled: false)
    try test[vcpu: 1].write(.spurious, off.rawValue)
    var delivered: Set<Vector> = []
    try test.stimulus {
      for vector in (0x70..<0x78).map(Vector.init(rawValue:)) {
        let message = MSIMessage(
          vector: vector, destination: test.logicalDestination(of: 1, 2), deliveryMode: .lowestPriority)
        if try test.signal(message) == .delivered { delivered.insert(vector) }
      }
    }
    try test.check("some are delivered", !delivered.isEmpty)
    test.note("delivered of 8", delivered.count)
    for vector in (0x70..<0x78).map(Vector.init(rawValue:)) {
      try test.expect(delivered.contains(vector) ? 1 : 0, of: vector, on: 2)
      try test.expectNone(of: vector, on: 1, unfenced: "its local APIC is software-disabled")
    }
  }

  /// Ids of more than 8 bits.
  static let msiWide = Scenario(
    "msi.wide-id", "An MSI reaches APIC ids above 255, and not those with the same low 8 bits", modes: [.x2APIC],
    vcpus: 3, exercises: ["KVM_CAP_X2APIC_API", "x86_msi_msg_get_destid", "kvm_recalculate_phys_map"],
    configure: { $0.vcpuIDs = [0, 44, 300] },
    body: { test in
      try test.stimulus {
        try test.signal(MSIMessage(vector: 0x71, destination: .physical(300)))
        try test.signal(MSIMessage(vector: 0x72, destination: .x2APICLogical(id: 300)))
      }
      for vector: Vector in [0x71, 0x72] {
        try test.expect(1, of: vector, on: 2)
        try test.expectNone(of: vector, on: 0)
        try test.expectNone(of: vector, on: 1)
      }
    })

  /// What is a broadcast to an xAPIC.
  static let msiID255 = Scenario(
    "msi.id-255", "With 32-bit ids an MSI to id 255 is for one vCPU, not a broadcast", modes: [.x2APIC], vcpus: 2,
    exercises: ["KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK", "kvm_apic_map_get_dest_lapic"],
    configure: { $0.vcpuIDs = [0, 255] },
    body: { test in
      try test.stimulus { try test.signal(MSIMessage(vector: 0x71, destination: .physical(255))) }
      try test.expect(1, of: 0x71, on: 1)
      try test.expectNone(of: 0x71, on: 0)
    })
}

extension TestContext {
  /// Sends messages with several vectors to vCPUs 1 and 2: one of the two must take each, and nobody both.
  fileprivate func checkOneOfTwo(_ message: (Vector, Destination) -> MSIMessage) throws {
    try setFlatLogicalIDs()
    let vectors = (0x70..<0x78).map(Vector.init(rawValue:))
    try stimulus {
      for vector in vectors {
        let answer = try signal(message(vector, logicalDestination(of: 1, 2)))
        try check("KVM_SIGNAL_MSI with \(vector) answers", answer, equals: .delivered)
      }
    }
    func taken(_ vector: Vector) -> Int { machine.recorded(vector, on: 1) + machine.recorded(vector, on: 2) }
    try until("each vector is taken") { vectors.allSatisfy { taken($0) > 0 } }
    for vcpu in 1...2 { try fence(vcpu) }
    for vector in vectors {
      try expectNone(of: vector, on: 0)
      try check("interrupts through \(vector)", taken(vector), equals: 1)
    }
  }
}
