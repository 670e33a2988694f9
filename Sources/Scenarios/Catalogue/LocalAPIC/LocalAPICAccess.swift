import APIC
import VMM

/// The vector of the general-protection exception.
private let generalProtection: Vector = 13

extension Scenario {
  /// In memory, writes to read-only registers are ignored.
  static let lapicReadOnly = Scenario(
    "lapic.read-only", "What is written to read-only registers in memory changes nothing", modes: [.xAPIC],
    exercises: ["kvm_lapic_reg_write", "SDM 3A 12.4.1"]
  ) { test in
    let vcpu = test[vcpu: 0]
    let registers: [LocalAPICRegister] = [.version, .processorPriority, .currentCount]
    let sets: [LocalAPICRegister] = [.inService, .triggerModes, .interruptRequest]
    let before = try registers.map { try vcpu.read($0) }
    try test.stimulus {
      for register in registers + sets { try vcpu.write(register, 0x7fff_ffff) }
      // One that can be written, between them: the writes do arrive.
      try vcpu.write(.divide, TimerDivide.by128.registerValue)
    }
    try test.check("the divide configuration", try vcpu.read(.divide), equals: TimerDivide.by128.registerValue)
    try test.check("the registers", try registers.map { try vcpu.read($0) }, equals: before)
    for set in sets { try test.check("\(set)", try vcpu.readVectors(set), equals: VectorSet()) }
  }

  /// As MSRs, they refuse them.
  static let lapicReadOnlyX2APIC = Scenario(
    "lapic.read-only-x2apic", "Writing a read-only register of x2APIC mode and reading a write-only one raise #GP",
    modes: [.x2APIC], exercises: ["kvm_x2apic_msr_write", "kvm_lapic_readable_reg_mask", "SDM 3A 12.12.1.2"],
    needs: [.trait(.checkedRegisterReads)]
  ) { test in
    let vcpu = test[vcpu: 0]
    let readOnly = LocalAPICRegister.allCases.filter { $0.access(in: .x2APIC) == .readOnly }
    let writeOnly = LocalAPICRegister.allCases.filter { $0.access(in: .x2APIC) == .writeOnly }
    var refused: [LocalAPICRegister] = []
    try test.stimulus {
      for register in readOnly where try vcpu.faultWritingMSR(register.msr, 0) == generalProtection {
        refused.append(register)
      }
      for register in writeOnly where try vcpu.faultReadingMSR(register.msr) == generalProtection {
        refused.append(register)
      }
    }
    try test.check("what raises #GP", refused, equals: readOnly + writeOnly)
  }

  /// Registers that only xAPIC mode has, and numbers that no register has.
  static let lapicMissingX2APIC = Scenario(
    "lapic.missing-x2apic", "The MSRs of registers that x2APIC mode does not have raise #GP", modes: [.x2APIC],
    exercises: ["kvm_x2apic_msr_read", "kvm_x2apic_msr_write", "SDM 3A 12.12.1.2"],
    needs: [.trait(.checkedRegisterReads)]
  ) { test in
    let vcpu = test[vcpu: 0]
    let removed: [LocalAPICRegister] = [
      .arbitrationPriority, .remoteRead, .destinationFormat, .interruptCommandHigh,
    ]
    let msrs = removed.map(\.msr) + [0x800, 0x804, 0x82e, 0x83a, 0x840, 0x8ff]
    var refused: [UInt32] = []
    try test.stimulus {
      for msr in msrs
      where try vcpu.faultReadingMSR(msr) == generalProtection && vcpu.faultWritingMSR(msr, 0) == generalProtection {
        refused.append(msr)
      }
    }
    try test.deciding(.checkedRegisterReads) { try test.check("what raises #GP", refused, equals: msrs) }
  }

  /// Bits that have no meaning.
  static let lapicReservedX2APIC = Scenario(
    "lapic.reserved-x2apic", "Reserved bits in registers of x2APIC mode raise #GP", modes: [.x2APIC],
    exercises: ["kvm_lapic_msr_write", "kvm_x2apic_icr_write", "SDM 3A 12.12.1.3"]
  ) { test in
    let vcpu = test[vcpu: 0]
    let high: [LocalAPICRegister] = [
      .taskPriority, .spurious, .lvtTimer, .lvtLINT0, .lvtLINT1, .lvtError, .initialCount, .divide, .errorStatus,
    ]
    var writes: [(register: LocalAPICRegister, value: UInt64)] = high.map { ($0, 1 << 32) }
    writes += [(.errorStatus, 1), (.selfIPI, 0x100), (.interruptCommand, 1 << 20)]
    var accepted: [LocalAPICRegister]?
    try test.stimulus {
      accepted = try writes.filter { try vcpu.faultWritingMSR($0.register.msr, $0.value) != generalProtection }
        .map(\.register)
    }
    try test.check("what takes reserved bits", accepted, equals: [])
  }

  /// An offset that only x2APIC mode gives a meaning.
  static let lapicNoSelfIPI = Scenario(
    "lapic.no-self-ipi", "In xAPIC mode there is no SELF_IPI register", modes: [.xAPIC],
    exercises: ["kvm_lapic_reg_write", "SDM 3A 12.12.11"]
  ) { test in
    let vcpu = test[vcpu: 0]
    try vcpu.write(.selfIPI, 0x51)
    try test.stimulus { try vcpu.send(.toSelf(0x52)) }
    try test.expect(1, of: 0x52, on: 0)
    try test.expectNone(of: 0x51, on: 0)
  }

  /// x2APIC mode's MSRs outside of x2APIC mode.
  static let lapicNoX2APIC = Scenario(
    "lapic.no-x2apic", "A processor without x2APIC refuses its mode and its MSRs with #GP", modes: [.xAPIC],
    exercises: ["kvm_apic_set_base", "kvm_x2apic_msr_read", "SDM 3A 12.12.1"]
  ) { test in
    let vcpu = test[vcpu: 0]
    var faults: [Vector?] = []
    try test.stimulus {
      let x2APIC = APICBase(isBootstrapProcessor: true, mode: .x2APIC).rawValue
      faults.append(try vcpu.faultWritingMSR(MSR.apicBase, x2APIC))
      faults.append(try vcpu.faultReadingMSR(LocalAPICRegister.id.msr))
      faults.append(try vcpu.faultWritingMSR(LocalAPICRegister.taskPriority.msr, 0))
    }
    try test.check("the exceptions", faults, equals: Array(repeating: generalProtection, count: 3))
    try test.check("CPUID shows x2APIC", try vcpu.cpuid(1).ecx & 1 << 21 != 0, equals: false)
  }
}
