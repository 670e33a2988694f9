import APIC
import KVM

extension OperationKind {
  /// What vCPUs do inside of the guest.
  static let guests: [OperationKind] = [
    OperationKind(
      .guest, "take", "a vCPU runs with interrupts on until it has taken one, or has none to take", [.vcpu], weight: 40,
      needsGuest: true, mayBeConcurrent: true
    ) { (arguments, subject) throws(KVMError) in
      let vcpu = subject.vcpu(of: arguments)
      return try subject.takeInterrupt(vcpu)
    },
    OperationKind(
      .guest, "halt", "a vCPU executes HLT, or another instruction behind STI, and takes what comes then",
      [.vcpu, OperationArgument("form", HaltForm.allCases.map(\.rawValue))], weight: 8, needsGuest: true
    ) { (arguments, subject) throws(KVMError) in
      try subject.halt(subject.vcpu(of: arguments), HaltForm(rawValue: arguments[1]) ?? .haltAfterSTI)
    },
    OperationKind(
      .guest, "eoi", "a vCPU writes to its EOI register", [.vcpu], weight: 30, needsGuest: true, mayBeConcurrent: true
    ) { (arguments, subject) throws(KVMError) in
      guard try !subject.mayStrikeAtEOI(subject.vcpu(of: arguments)) else { return .done }
      return try access(.endOfInterrupt, writing: 0, arguments, subject)
    },
    OperationKind(
      .guest, "ipi", "a vCPU sends a fixed interrupt",
      [
        .vcpu, .vector, OperationArgument("destination", [0, 1, 2, 3, 0xffff_ffff, 7]), .isLogical,
        OperationArgument("shorthand", [0, 0, 1, 2, 3]),
      ], weight: 20, needsGuest: true, mayBeConcurrent: true
    ) { (arguments, subject) throws(KVMError) in
      let low = arguments[1] & 0xff | 0x4000 | (arguments[3] & 1) << 11 | (arguments[4] & 3) << 18
      return try access(.interruptCommand, writing: (arguments[2] & 0xffff_ffff) << 32 | low, arguments, subject)
    },
    OperationKind(
      .guest, "tpr", "a vCPU writes to its TPR",
      [.vcpu, OperationArgument("priority", [0, 0x20, 0x40, 0x4f, 0xf0, 0x100])],
      needsGuest: true, mayBeConcurrent: true
    ) { (arguments, subject) throws(KVMError) in
      try access(.taskPriority, writing: arguments[1], arguments, subject)
    },
    OperationKind(
      .guest, "write", "a vCPU writes to a register",
      [
        .vcpu,
        OperationArgument("offset", [0x3f0, 0xf0, 0x350, 0x360, 0x370, 0x320, 0x280, 0x3e0, 0x20, 0xd0, 0x30, 0x310]),
        OperationArgument("value", [0x40, 0x1ff, 0xff, 0, 0x1_0040, 0x700, 0x1_0000_0000]),
      ], needsGuest: true
    ) { (arguments, subject) throws(KVMError) in
      guard let register = LocalAPICRegister(rawValue: UInt16(truncatingIfNeeded: arguments[1] & 0x3f0)),
        register != .initialCount, register != .interruptCommand
      else { return .done }
      return try access(register, writing: arguments[2], arguments, subject)
    },
    OperationKind(
      .guest, "read", "a vCPU reads a register",
      [.vcpu, OperationArgument("offset", (0..<0x40).map { UInt64($0) << 4 })], needsGuest: true
    ) { (arguments, subject) throws(KVMError) in
      let vcpu = subject.vcpu(of: arguments)
      let index = MSR.x2APICBase + UInt32(truncatingIfNeeded: arguments[1] & 0x3f0) >> 4
      return try subject.accessMSR(vcpu, index, writing: nil)
    },
  ]

  private static func access(
    _ register: LocalAPICRegister, writing value: UInt64, _ arguments: StepArguments, _ subject: any InterruptSubject
  ) throws(KVMError) -> StepAnswer {
    let vcpu = subject.vcpu(of: arguments)
    return try subject.accessMSR(vcpu, register.msr, writing: value)
  }
}
