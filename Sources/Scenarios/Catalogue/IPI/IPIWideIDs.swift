import APIC
import VMM

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
