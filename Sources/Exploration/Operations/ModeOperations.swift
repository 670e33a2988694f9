import APIC
import KVM

extension OperationKind {
  /// Modes of local APICs (IA32_APIC_BASE; SDM volume 3A, section 12.12.5).
  static let modes: [OperationKind] = [
    OperationKind(
      "mode.set", "a write to IA32_APIC_BASE", [.vcpu, OperationArgument("bits", [0xc00, 0xc00, 0x800, 0, 0x400])],
      weight: 6
    ) { (arguments, subject) throws(KVMError) in
      let vcpu = subject.vcpu(of: arguments)
      let value = APICBase.defaultAddress | arguments[1] & 0xc00 | (vcpu == 0 ? 0x100 : 0)
      return try subject.writeMSR(vcpu, MSR.apicBase, value) ? .done : .refused
    },
    OperationKind(
      "mode.reserved", "a write of reserved bits to IA32_APIC_BASE",
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
      "timer.mode", "a write to LVT_TIMER",
      [.vcpu, .vector, OperationArgument("mode", [0, 1, 2, 3]), OperationArgument("masked", [1, 0])]
    ) { (arguments, subject) throws(KVMError) in
      let value = arguments[1] & 0xff | (arguments[2] & 3) << 17 | (arguments[3] & 1) << 16
      return try write(.lvtTimer, value, arguments, subject)
    },
    OperationKind(
      "timer.count", "a write to the initial count", [.vcpu, OperationArgument("count", OperationValues.counts)]
    ) {
      (arguments, subject) throws(KVMError) in
      try write(.initialCount, arguments[1], arguments, subject)
    },
    OperationKind(
      "timer.divide", "a write to the divide configuration",
      [.vcpu, OperationArgument("divide", [0xb, 0, 1, 2, 3, 8, 9, 0xa, 0xf, 4])]
    ) { (arguments, subject) throws(KVMError) in
      try write(.divide, arguments[1], arguments, subject)
    },
    OperationKind("timer.read", "a read of the current count", [.vcpu]) { (arguments, subject) throws(KVMError) in
      let vcpu = subject.vcpu(of: arguments)
      return try subject.readMSR(vcpu, LocalAPICRegister.currentCount.msr)
    },
    OperationKind(
      "timer.deadline", "a write to IA32_TSC_DEADLINE", [.vcpu, OperationArgument("deadline", [0, 1 << 62, 1 << 61])]
    ) { (arguments, subject) throws(KVMError) in
      let vcpu = subject.vcpu(of: arguments)
      return try subject.writeMSR(vcpu, MSR.tscDeadline, arguments[1]) ? .done : .refused
    },
  ]
}
