import APIC
import VMM

extension Scenario {
  /// After power-up.
  static let lapicReset = Scenario(
    "lapic.reset", "At power-up every register of the local APIC has its reset value", modes: [.xAPIC],
    preparation: .untouched, exercises: ["kvm_lapic_reset", "SDM 3A 12.4.7.1"],
    sabotage: .impossible("the machine is reset before anything can be withheld")
  ) { test in
    let vcpu = test[vcpu: 0]
    // KVM opens LINT0 of the bootstrap processor to the PIC, as a BIOS does (KVM_X86_QUIRK_LINT0_REENABLED).
    try checkReset(in: .xAPIC, lint0: .pin(0, deliveryMode: .external), test) { try vcpu.read($0, word: $1) }
    try test.check("IA32_APIC_BASE", try vcpu.readMSR(MSR.apicBase), equals: bootstrapBase(.xAPIC))
  }

  /// After power-up, seen through the registers of x2APIC mode.
  static let lapicResetX2APIC = Scenario(
    "lapic.reset-x2apic", "Switched to x2APIC mode, every register still has its reset value", modes: [.x2APIC],
    preparation: .untouched, exercises: ["kvm_lapic_reset", "kvm_x2apic_msr_read", "SDM 3A 12.12.5"]
  ) { test in
    let vcpu = test[vcpu: 0]
    try test.stimulus { try vcpu.writeMSR(MSR.apicBase, bootstrapBase(.x2APIC)) }
    try test.check("IA32_APIC_BASE", try vcpu.readMSR(MSR.apicBase), equals: bootstrapBase(.x2APIC))
    try checkReset(in: .x2APIC, lint0: .pin(0, deliveryMode: .external), test) { try vcpu.read($0, word: $1) }
  }

  /// After INIT.
  static let lapicInit = Scenario(
    "lapic.init", "INIT gives every register of the local APIC its reset value, and keeps the mode", vcpus: 2,
    exercises: ["kvm_lapic_reset", "kvm_apic_get_state", "SDM 3A 12.4.7.3", "SDM 3A 12.12.5.1"]
  ) { test in
    let target = test[vcpu: 1]
    try target.disableInterrupts()
    try target.write(.spurious, SpuriousInterruptVectorRegister(vector: 0xef).rawValue)
    for entry: LocalAPICRegister in [.lvtTimer, .lvtThermal, .lvtPerformance, .lvtLINT0, .lvtLINT1, .lvtError] {
      try target.write(entry, LVTEntry.pin(0x41, isMasked: true).rawValue)
    }
    try target.write(.divide, TimerDivide.by16.registerValue)
    try target.write(.initialCount, 0x7fff_ffff)
    try target.write(.taskPriority, 0x30)
    if test.mode == .xAPIC {
      try target.write(.destinationFormat, DestinationFormat.cluster.registerValue)
      try target.write(.logicalDestination, 0x12 << 24)
    }
    try target.send(.toSelf(0x31))
    try test.stimulus { try test[vcpu: 0].send(.initialize(to: target.destination)) }
    try test.untilReset(1)
    let state = try test.localAPICState(of: 1)
    try checkReset(in: test.mode, lint0: .masked, test) { state[$0, word: $1] }
    try test.check("the APIC id", state.id(mode: test.mode), equals: 1)
  }

  /// The bootstrap processor's IA32_APIC_BASE in a mode.
  private static func bootstrapBase(_ mode: APICMode) -> UInt64 {
    APICBase(isBootstrapProcessor: true, mode: mode).rawValue
  }

  private static func checkReset(
    in mode: APICMode, lint0: LVTEntry, _ test: TestContext, read: (LocalAPICRegister, Int) throws -> UInt32
  ) throws {
    var expected: [(LocalAPICRegister, UInt32)] = [
      (.taskPriority, 0), (.processorPriority, 0), (.spurious, 0xff), (.errorStatus, 0), (.initialCount, 0),
      (.currentCount, 0), (.divide, 0), (.lvtLINT0, lint0.rawValue),
    ]
    for entry: LocalAPICRegister in [.lvtTimer, .lvtThermal, .lvtPerformance, .lvtLINT1, .lvtError] {
      expected.append((entry, LVTEntry.masked.rawValue))
    }
    if mode == .xAPIC { expected += [(.logicalDestination, 0), (.destinationFormat, 0xffff_ffff)] }
    for (register, value) in expected {
      try test.check("\(register)", try read(register, 0), equals: value)
    }
    for register: LocalAPICRegister in [.inService, .triggerModes, .interruptRequest] {
      for word in 0..<register.wordCount {
        try test.check("\(register), word \(word)", try read(register, word), equals: 0)
      }
    }
  }
}
