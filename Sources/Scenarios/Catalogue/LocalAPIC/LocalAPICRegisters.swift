import APIC
import VMM

extension Scenario {
  /// The version register.
  static let lapicVersion = Scenario(
    "lapic.version", "The version is that of an integrated local APIC, and it has as many LVT entries as it says",
    exercises: ["kvm_apic_set_version", "kvm_lapic_lvt_supported", "SDM 3A 12.4.8"]
  ) { test in
    let vcpu = test[vcpu: 0]
    var version = LocalAPICVersion(rawValue: 0)
    try test.stimulus { version = LocalAPICVersion(rawValue: try vcpu.read(.version)) }
    try test.check("the version is from 0x10 to 0x15", (0x10...0x15).contains(version.version), saw: version.version)
    try test.check("there are 6 or 7 entries", (5...6).contains(version.maxLVTEntry), saw: version.maxLVTEntry)
  }

  /// The seventh entry, for corrected machine checks.
  static let lapicCMCI = Scenario(
    "lapic.cmci", "There is an LVT entry of CMCI where the version register says so", modes: [.x2APIC],
    exercises: ["kvm_apic_calc_nr_lvt_entries", "SDM 3A 12.5.1"], needs: [.trait(.checkedRegisterReads)]
  ) { test in
    let vcpu = test[vcpu: 0]
    let version = LocalAPICVersion(rawValue: try vcpu.read(.version))
    var hasCMCI: Bool?
    try test.stimulus { hasCMCI = try vcpu.faultReadingMSR(LocalAPICRegister.lvtCMCI.msr) == nil }
    try test.check("an LVT entry of CMCI is there", hasCMCI, equals: version.maxLVTEntry >= 6)
  }

  /// The local vector table.
  static let lapicLVT = Scenario(
    "lapic.lvt", "Every entry of the local vector table keeps its vector, its mode and its mask",
    exercises: ["apic_lvt_mask", "kvm_lapic_reg_write", "SDM 3A 12.5.1"]
  ) { test in
    let vcpu = test[vcpu: 0]
    let entries: [(LocalVector, LVTEntry)] = [
      (.timer, .timer(0x41, mode: .periodic, isMasked: true)),
      (.thermal, .pin(0x42, deliveryMode: .nmi, isMasked: true)),
      (.performance, .pin(0x43, deliveryMode: .nmi, isMasked: true)),
      (.lint0, .pin(0x44, polarity: .activeLow, triggerMode: .level, isMasked: true)),
      (.lint1, .pin(0x45, deliveryMode: .external, polarity: .activeLow)),
      (.error, .pin(0x46)),
    ]
    // Bits 31:19 and 11 are reserved in every entry; in memory they are ignored, as MSRs they are left alone.
    let reserved: UInt32 = test.mode == .xAPIC ? 0xfff8_0800 : 0
    try test.stimulus {
      for (source, entry) in entries { try vcpu.write(source.register, entry.rawValue | reserved) }
    }
    for (source, entry) in entries {
      let value = LVTEntry(rawValue: try vcpu.read(source.register))
      try test.check("\(source.register)", value, equals: entry)
    }
  }

  /// The spurious-interrupt vector register.
  static let lapicSpurious = Scenario(
    "lapic.spurious", "The SVR keeps all bits of its vector and none that is reserved",
    exercises: ["apic_set_spiv", "SDM 3A 12.9"]
  ) { test in
    let vcpu = test[vcpu: 0]
    // Bits 31:13 and 11:10 are reserved; an x2APIC may refuse them.
    let reserved: UInt32 = test.mode == .xAPIC ? 0xffff_ec00 : 0
    try test.stimulus {
      try vcpu.write(.spurious, SpuriousInterruptVectorRegister(vector: 0xe5).rawValue | reserved)
    }
    let value = SpuriousInterruptVectorRegister(rawValue: try vcpu.read(.spurious))
    try test.check("the SVR", value, equals: SpuriousInterruptVectorRegister(vector: 0xe5))
  }

  /// The error status register.
  static let lapicErrorStatus = Scenario(
    "lapic.esr", "A write to the ESR shows the errors since the one before, whatever is written",
    exercises: ["kvm_lapic_reg_write", "SDM 3A 12.5.3"]
  ) { test in
    let vcpu = test[vcpu: 0]
    var writes: [UInt32] = []
    try test.stimulus {
      // In x2APIC mode only 0 may be written.
      for value: UInt32 in test.mode == .x2APIC ? [0, 0] : [0, 0xff] {
        try vcpu.write(.errorStatus, value)
        writes.append(try vcpu.read(.errorStatus))
      }
    }
    // Where the hardware virtualizes the page, it keeps what was written, and KVM, which finds no errors, leaves it there
    // (SDM volume 3C, section 31.4.3.2; kvm_apic_write_nodecode).
    let isKept = test.hasAPICv && test.mode == .xAPIC
    try test.check("the ESR behind each write, without any error", writes, equals: [0, isKept ? 0xff : 0])
  }

  /// The interrupt command register.
  static let lapicCommand = Scenario(
    "lapic.icr", "The ICR reads back the command that was sent, with nothing pending", vcpus: 2,
    exercises: ["kvm_apic_send_ipi", "kvm_x2apic_icr_write", "SDM 3A 12.6.1"]
  ) { test in
    let sender = test[vcpu: 0]
    let command = InterruptCommand.interrupt(0x53, to: test[vcpu: 1].destination)
    try test.stimulus { try sender.send(command) }
    try test.expect(1, of: 0x53, on: 1)
    let low = try sender.read(.interruptCommand)
    let seen =
      test.mode == .x2APIC
      ? InterruptCommand(rawValue: try sender.readMSR(LocalAPICRegister.interruptCommand.msr))
      : InterruptCommand(xAPICHigh: try sender.read(.interruptCommandHigh), low: low)
    try test.check("the ICR", seen, equals: command)
  }

  /// The logical destination and its format.
  static let lapicLogical = Scenario(
    "lapic.logical", "The LDR keeps 8 bits, and the DFR 4 with ones below", modes: [.xAPIC],
    exercises: ["kvm_apic_set_ldr", "kvm_apic_set_dfr", "SDM 3A 12.6.2.2"]
  ) { test in
    let vcpu = test[vcpu: 0]
    try test.stimulus {
      try vcpu.write(.logicalDestination, 0xa5ff_ffff)
      try vcpu.write(.destinationFormat, 0)
    }
    try test.check("the LDR", try vcpu.read(.logicalDestination), equals: 0xa500_0000)
    try test.check(
      "the DFR", try vcpu.read(.destinationFormat), equals: DestinationFormat.cluster.registerValue)
  }
}

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
