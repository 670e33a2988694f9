import APIC
import KVM
import MachineState
import VMM

/// What a guest finds after a restore, and what is found of it.
extension Scenario {
  /// State that was restored and is saved again.
  static let snapshotSame = Scenario(
    "snapshot.same", "State that is restored and saved again is the same, but for the fields that time moves", vcpus: 2,
    exercises: ["KVM_GET_LAPIC", "KVM_GET_IRQCHIP", "KVM_GET_PIT2", "KVM_GET_VCPU_EVENTS", "KVM_GET_MSRS"]
  ) { test in
    try test.programPIC(master: 0x40, slave: 0x48, lines: [11])
    try test.setPICLevelTriggered([10])
    try test.setLine(11, to: true)
    // The machine makes its PIT when the guest first touches one of its ports.
    try test.setPIT(.hardwareStrobe, count: 0)
    try saveAgain(test)
  }

  /// The same with the IOAPIC in user space.
  static let snapshotSameSplit = Scenario(
    "snapshot.same-split", "State of a split irqchip that is restored and saved again is the same, but for time",
    vcpus: 2,
    exercises: ["KVM_GET_LAPIC", "KVM_CAP_SPLIT_IRQCHIP", "KVM_SET_GSI_ROUTING", "KVM_GET_MSRS"],
    configure: useSplitIRQChip, body: saveAgain)

  private static let saveAgain: Body = { test in
    let (vcpu, sleeper) = (test[vcpu: 0], test[vcpu: 1])
    try vcpu.disableInterrupts()
    try vcpu.write(.taskPriority, 0x40)
    try vcpu.write(.lvtError, LVTEntry.pin(0xe1, isMasked: true).rawValue)
    try vcpu.setTimer(0x61, .tscDeadline)
    try vcpu.setDeadline(try vcpu.readTSC() + vcpu.cycles(milliseconds: 1_000_000))
    try sleeper.setDivide(.by128)
    try sleeper.setTimer(0x62)
    try sleeper.startTimer(count: .max)
    try test.setRedirection(
      pin: 20, RedirectionEntry(vector: 0x66, destination: vcpu.destination, triggerMode: .level))
    try test.setLine(20, to: true)
    try test.machine.interrupts.route(30, to: MSIMessage(vector: 0x8e, destination: sleeper.destination))
    try test.vm.assignIRQFD(try EventDescriptor(), gsi: 30)
    try test.vm.assignIOEvent(try EventDescriptor(), at: .port(0x5c00), length: 2)
    for value in UInt32(1)...2 { try vcpu.writePort(0x5c00, value, width: 2) }
    try sleeper.disableInterrupts()
    try sleeper.haltMasked()
    try test.stimulus {
      for vcpu in test.vcpus { try test.signal(MSIMessage(vector: 0x82, destination: vcpu.destination)) }
    }
    var again = MachineState()
    let state = try test.hop(inspecting: { _ in again = try test.capture() })
    let differences = state.differences(to: again)
    let others = differences.filter { !$0.isMoving }
    try test.check("nothing but time differs", others.isEmpty, saw: others.map(\.description).joined(separator: "; "))
    test.note("fields that time has moved", Set(differences.map(\.path)).count)
    try test.check("what waits", again.vcpus[1].localAPIC.interruptRequest, equals: [0x82])
  }

  /// MSRs and CPUID.
  static let snapshotRegisters = Scenario(
    "snapshot.msrs", "MSRs that the guest has written, and CPUID, read the same after a restore", vcpus: 2,
    exercises: ["KVM_GET_MSRS", "KVM_SET_MSRS", "KVM_GET_CPUID2", "KVM_SET_CPUID2"]
  ) { test in
    // STAR, LSTAR, FMASK, KERNEL_GS_BASE, SYSENTER_CS, _ESP and _EIP, PAT (SDM volume 4, chapter 2).
    // Each vCPU has its own; those of PAT are memory types still.
    let registers: [(index: UInt32, value: UInt64, step: UInt64)] = [
      (0xc000_0081, 0x0023_0010_0000_0000, 8), (0xc000_0082, 0x1234_5000, 8), (0xc000_0084, 0x4_7700, 8),
      (0xc000_0102, 0x7654_3000, 8), (0x174, 0x10, 8), (0x175, 0x5150, 8), (0x176, 0x5260, 8),
      (0x277, 0x0007_0406_0107_0406, 0x100),
    ]
    let leaves: [(UInt32, UInt32)] = [
      (0, 0), (1, 0), (7, 0), (0xb, 0), (0xb, 1), (0x4000_0000, 0), (0x4000_0001, 0), (0x8000_0001, 0),
      (0x8000_0008, 0),
    ]
    func cpuid() throws -> [[UInt32]] {
      try test.vcpus.flatMap { vcpu in
        try leaves.map { leaf in
          let answer = try vcpu.cpuid(leaf.0, leaf.1)
          return [leaf.0, answer.eax, answer.ebx, answer.ecx, answer.edx]
        }
      }
    }
    let before = try cpuid()
    try test.stimulus {
      for vcpu in test.vcpus {
        for register in registers {
          try vcpu.writeMSR(register.index, register.value + register.step * UInt64(vcpu.index))
        }
      }
    }
    try test.hop()
    for vcpu in test.vcpus {
      for register in registers {
        let name = "MSR 0x\(String(register.index, radix: 16)) of vCPU \(vcpu.index)"
        try test.check(
          name, try vcpu.readMSR(register.index), equals: register.value + register.step * UInt64(vcpu.index))
      }
    }
    for (answer, expected) in zip(try cpuid(), before) {
      try test.check("CPUID leaf 0x\(String(expected[0], radix: 16))", answer, equals: expected)
    }
  }

  /// Breakpoints and vector registers.
  static let snapshotExtended = Scenario(
    "snapshot.registers", "Debug registers and a vector register hold after a restore what they held before",
    exercises: ["KVM_SET_DEBUGREGS", "KVM_SET_XSAVE", "KVM_GET_XSAVE2", "KVM_SET_XCRS"]
  ) { test in
    let breakpoints: [UInt64] = [0x1_2340, 0x2_2340, 0x3_2340, 0x4_2340]
    let pattern = (0..<16).map { UInt8(0xa0 + $0) }
    // XMM13, and the bit of the header that says that SSE registers are there (SDM volume 1, sections 10.5 and 13.4).
    let (place, header) = (160 + 13 * 16, 512)
    let before = try test.capture()
    try test.hop(whilePaused: {
      try test.stimulus {
        try test.machine.withVCPUStopped(0) { vcpu throws(KVMError) in
          var debug = try vcpu.debugRegisters()
          (debug.dr0, debug.dr1, debug.dr2, debug.dr3) = (
            breakpoints[0], breakpoints[1], breakpoints[2], breakpoints[3]
          )
          try vcpu.setDebugRegisters(debug)
          var area = try vcpu.xsave()
          area.replaceSubrange(place..<place + 16, with: pattern)
          area[header] |= 2
          try vcpu.setXSAVE(area)
        }
      }
    })
    try test.readBreakpoints(into: TestContext.diversion + 0x800)
    for (index, value) in breakpoints.enumerated() {
      let address = TestContext.diversion + 0x800 + 8 * UInt64(index)
      try test.check(
        "DR\(index) as the guest reads it", try test.machine.memory.load(UInt64.self, at: address), equals: value)
    }
    let after = try test.capture().vcpus[0]
    try test.check("XMM13", Array(after.xsave[place..<place + 16]), equals: pattern)
    try test.check("XCR0", after.extendedControlRegisters, equals: before.vcpus[0].extendedControlRegisters)
    try test.check("DR7", after.debugRegisters.dr7, equals: before.vcpus[0].debugRegisters.dr7)
  }
}

extension TestContext {
  /// Has vCPU 0, which waits for the next operation, write DR0 to DR3 to memory.
  fileprivate func readBreakpoints(into address: UInt64) throws {
    var code: [UInt8] = [0x50]  // PUSH RAX
    for number in UInt64(0)...3 {
      code += [0x0f, 0x21, 0xc0 | UInt8(number) << 3]  // MOV RAX, DRn
      let place = address + 8 * number
      code += [0x48, 0xa3] + (0..<8).map { UInt8(truncatingIfNeeded: place >> (8 * UInt64($0))) }  // MOV [place], RAX
    }
    code += [0x58]  // POP RAX
    try machine.pause()
    do {
      try divert(0, through: code)
    } catch {
      machine.resume()
      throw error
    }
    machine.resume()
    _ = try self[vcpu: 0].readTSC()
  }
}
