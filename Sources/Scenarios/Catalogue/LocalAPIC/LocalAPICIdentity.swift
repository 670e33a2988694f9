import APIC
import VMM

/// Ids that are not the indexes; two have the same place in different clusters.
private func useScatteredIDs(_ configuration: inout MachineConfiguration) { configuration.vcpuIDs = [0, 37, 69] }

/// The same with an id that 8 bits do not hold.
private func useWideIDs(_ configuration: inout MachineConfiguration) { configuration.vcpuIDs = [0, 37, 0x145] }

extension Scenario {
  /// The id of 8 bits.
  static let lapicID = Scenario(
    "lapic.id", "The APIC id is the one that CPUID gives the processor", modes: [.xAPIC], vcpus: 3,
    exercises: ["kvm_apic_set_xapic_id", "SDM 3A 12.4.6"], configure: useScatteredIDs
  ) { test in
    var ids: [UInt32] = []
    try test.stimulus { for vcpu in test.vcpus { ids.append(try vcpu.read(.id)) } }
    try test.check("the registers", ids, equals: test.vcpus.map { $0.apicID << 24 })
    try test.check("CPUID", try test.vcpus.map { try $0.cpuid(1).ebx >> 24 }, equals: test.vcpus.map(\.apicID))
  }

  /// The id of 32 bits, and the logical id that follows from it.
  static let lapicX2APICID = Scenario(
    "lapic.x2apic-id", "In x2APIC mode the id has 32 bits, and the logical id is derived from it", modes: [.x2APIC],
    vcpus: 3, exercises: ["kvm_apic_set_x2apic_id", "kvm_apic_calc_x2apic_ldr", "SDM 3A 12.12.10.2"],
    configure: useWideIDs
  ) { test in
    var ids: [UInt32] = []
    try test.stimulus { for vcpu in test.vcpus { ids.append(try vcpu.read(.id)) } }
    try test.check("the registers", ids, equals: test.vcpus.map(\.apicID))
    try test.check("CPUID", try test.vcpus.map { try $0.cpuid(0xb).edx }, equals: test.vcpus.map(\.apicID))
    try test.check(
      "the logical ids", try test.vcpus.map { try $0.read(.logicalDestination) },
      equals: [0x1, 0x2_0020, 0x14_0020])
  }
}
