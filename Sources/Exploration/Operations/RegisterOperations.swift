import APIC
import KVM

extension OperationKind {
  /// Registers of local APICs, by the MSRs of x2APIC mode (KVM API, KVM_GET_MSRS and KVM_SET_MSRS).
  static let registers: [OperationKind] = [
    OperationKind(.register, "eoi", "a write to the EOI register", [.vcpu], weight: 40, mayBeConcurrent: true) {
      (arguments, subject) throws(KVMError) in
      try write(.endOfInterrupt, 0, arguments, subject)
    },
    OperationKind(
      .register, "tpr", "a write to the TPR",
      [.vcpu, OperationArgument("priority", [0, 0x10, 0x20, 0x40, 0x4f, 0x50, 0xf0, 0xff, 0x100])],
      mayBeConcurrent: true
    ) { (arguments, subject) throws(KVMError) in
      try write(.taskPriority, arguments[1], arguments, subject)
    },
    OperationKind(
      .register, "svr", "a write to the SVR",
      [.vcpu, OperationArgument("value", [0x1ff, 0x1ff, 0x1ff, 0xff, 0x10ff, 0x11ff, 0x3ff, 0])]
    ) { (arguments, subject) throws(KVMError) in
      try write(.spurious, arguments[1], arguments, subject)
    },
    OperationKind(
      .register, "lvt", "a write to an entry of the local vector table",
      [
        .vcpu, OperationArgument("offset", [0x350, 0x360, 0x370, 0x340, 0x330, 0x2f0]), .vector, .mode,
        OperationArgument("flags", [0, 0x1_0000, 0x8000, 0x2000, 0x1_f000, 0xfffe_0000]),
      ]
    ) { (arguments, subject) throws(KVMError) in
      let value = arguments[2] & 0xff | (arguments[3] & 7) << 8 | arguments[4] & 0xffff_f000
      return try write(offset: UInt16(truncatingIfNeeded: arguments[1] & 0x3f0), value, arguments, subject)
    },
    OperationKind(
      .register, "write", "a write to any register",
      [
        .vcpu, OperationArgument("offset", (0..<0x40).map { UInt64($0) << 4 }.filter { $0 != 0x300 && $0 != 0x380 }),
        OperationArgument("value", OperationValues.words),
      ]
    ) { (arguments, subject) throws(KVMError) in
      try write(offset: UInt16(truncatingIfNeeded: arguments[1] & 0x3f0), arguments[2], arguments, subject)
    },
    OperationKind(
      .register, "read", "a read of any register",
      [.vcpu, OperationArgument("offset", (0..<0x40).map { UInt64($0) << 4 })], weight: 20
    ) { (arguments, subject) throws(KVMError) in
      let offset = UInt32(truncatingIfNeeded: arguments[1] & 0x3f0)
      let vcpu = subject.vcpu(of: arguments)
      return try subject.readMSR(vcpu, MSR.x2APICBase + offset >> 4)
    },
  ]

  static func write(
    _ register: LocalAPICRegister, _ value: UInt64, _ arguments: StepArguments, _ subject: any InterruptSubject
  ) throws(KVMError) -> StepAnswer {
    try write(offset: register.rawValue, value, arguments, subject)
  }

  /// Writes a register of the vCPU that the first argument names.
  static func write(
    offset: UInt16, _ value: UInt64, _ arguments: StepArguments, _ subject: any InterruptSubject
  ) throws(KVMError) -> StepAnswer {
    let vcpu = subject.vcpu(of: arguments)
    return try subject.writeMSR(vcpu, MSR.x2APICBase + UInt32(offset >> 4), value) ? .done : .refused
  }
}

extension OperationKind {
  /// Interprocessor interrupts (SDM volume 3A, section 12.6).
  static let interprocessor: [OperationKind] = [
    OperationKind(
      .ipi, "send", "a write to the ICR",
      [
        .vcpu, .vector,
        OperationArgument("destination", [0, 1, 2, 3, 0xffff_ffff, 0xff, 4, 7, 0xf, 0x1_0001, 0x1_0000]),
        .isLogical, .mode, OperationArgument("shorthand", [0, 0, 1, 2, 3]),
        OperationArgument("flags", [0x4000, 0, 0xc000, 0x8000, 0x5000, 0x2000, 0x10_0000]),
      ], weight: 40, mayBeConcurrent: true
    ) { (arguments, subject) throws(KVMError) in
      let low = arguments[1] & 0xff | (arguments[4] & 7) << 8 | (arguments[3] & 1) << 11
      let high = (arguments[2] & 0xffff_ffff) << 32
      let command = high | low | (arguments[5] & 3) << 18 | arguments[6] & 0xfff3_f000
      return try write(.interruptCommand, command, arguments, subject)
    },
    OperationKind(
      .ipi, "self", "a write to the SELF IPI register",
      [.vcpu, OperationArgument("vector", OperationValues.vectors + [0x140])], mayBeConcurrent: true
    ) { (arguments, subject) throws(KVMError) in
      try write(.selfIPI, arguments[1], arguments, subject)
    },
  ]
}

extension OperationKind {
  /// Modes of local APICs (IA32_APIC_BASE; SDM volume 3A, section 12.12.5).
  static let modes: [OperationKind] = [
    OperationKind(
      .mode, "set", "a write to IA32_APIC_BASE", [.vcpu, OperationArgument("bits", [0xc00, 0xc00, 0x800, 0, 0x400])],
      weight: 6
    ) { (arguments, subject) throws(KVMError) in
      let vcpu = subject.vcpu(of: arguments)
      let value = APICBase.defaultAddress | arguments[1] & 0xc00 | (vcpu == 0 ? 0x100 : 0)
      return try subject.writeMSR(vcpu, MSR.apicBase, value) ? .done : .refused
    },
    OperationKind(
      .mode, "reserved", "a write of reserved bits to IA32_APIC_BASE",
      [.vcpu, OperationArgument("bits", [1, 0x200, 1 << 63])],
      weight: 1
    ) { (arguments, subject) throws(KVMError) in
      let vcpu = subject.vcpu(of: arguments)
      return try subject.writeMSR(vcpu, MSR.apicBase, APICBase.defaultAddress | 0x800 | arguments[1]) ? .done : .refused
    },
  ]
}

extension OperationKind {
  /// The local APICs' timers (SDM volume 3A, section 12.5.4).
  static let timers: [OperationKind] = [
    OperationKind(
      .timer, "mode", "a write to LVT_TIMER",
      [.vcpu, .vector, OperationArgument("mode", [0, 1, 2, 3]), OperationArgument("masked", [1, 0])]
    ) { (arguments, subject) throws(KVMError) in
      let value = arguments[1] & 0xff | (arguments[2] & 3) << 17 | (arguments[3] & 1) << 16
      return try write(.lvtTimer, value, arguments, subject)
    },
    OperationKind(
      .timer, "count", "a write to the initial count", [.vcpu, OperationArgument("count", OperationValues.counts)]
    ) {
      (arguments, subject) throws(KVMError) in
      try write(.initialCount, arguments[1], arguments, subject)
    },
    OperationKind(
      .timer, "divide", "a write to the divide configuration",
      [.vcpu, OperationArgument("divide", [0xb, 0, 1, 2, 3, 8, 9, 0xa, 0xf, 4])]
    ) { (arguments, subject) throws(KVMError) in
      try write(.divide, arguments[1], arguments, subject)
    },
    OperationKind(.timer, "read", "a read of the current count", [.vcpu]) { (arguments, subject) throws(KVMError) in
      let vcpu = subject.vcpu(of: arguments)
      return try subject.readMSR(vcpu, LocalAPICRegister.currentCount.msr)
    },
    OperationKind(
      .timer, "deadline", "a write to IA32_TSC_DEADLINE",
      [.vcpu, OperationArgument("deadline", [0, 1 << 62, 1 << 61])]
    ) { (arguments, subject) throws(KVMError) in
      let vcpu = subject.vcpu(of: arguments)
      return try subject.writeMSR(vcpu, MSR.tscDeadline, arguments[1]) ? .done : .refused
    },
  ]
}
