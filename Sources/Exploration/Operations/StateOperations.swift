import APIC
import KVM
import ReferenceModel

extension OperationKind {
  /// Local APICs' states, as a restore writes them (KVM API, KVM_GET_LAPIC and KVM_SET_LAPIC).
  static let localAPICStates: [OperationKind] = [
    OperationKind(.lapic, "resave", "a local APIC's state is read and written back", [.vcpu], weight: 6) {
      (arguments, subject) throws(KVMError) in
      try changeLocalAPIC(arguments, subject) { _ in }
    },
    OperationKind(
      .lapic, "vector", "a vector is put into the IRR, the ISR or the TMR of a local APIC, or taken out",
      [.vcpu, OperationArgument("set", [0x100, 0x200, 0x180]), .vector, OperationArgument("in", [1, 0])], weight: 20
    ) { (arguments, subject) throws(KVMError) in
      let vector = Int(arguments[2] & 0xff)
      let word = Int(arguments[1] & 0x380) / 4 + vector / 32 * 4
      let bit = UInt32(1) << UInt32(vector % 32)
      return try changeLocalAPIC(arguments, subject) {
        $0.registers[word] = arguments[3] & 1 != 0 ? $0.registers[word] | bit : $0.registers[word] & ~bit
      }
    },
    OperationKind(
      .lapic, "register", "a register of a local APIC's state is written",
      [
        .vcpu, OperationArgument("offset", [0x80, 0xd0, 0xe0, 0xf0, 0x20, 0x300, 0x310, 0x350, 0x370, 0x3e0]),
        OperationArgument(
          "value",
          [
            0, 0xff, 0x1ff, 0x0100_0000, 0x0200_0000, 0x1100_0000, 0x0f00_0000, 0x0300_0000, 0xffff_ffff, 0x0fff_ffff,
            0x700,
          ]),
      ], weight: 12
    ) { (arguments, subject) throws(KVMError) in
      try changeLocalAPIC(arguments, subject) {
        $0.registers[Int(arguments[1] & 0x3f0) / 4] = UInt32(truncatingIfNeeded: arguments[2])
      }
    },
  ]

  /// Changes the state of the local APIC of the vCPU that the first argument names.
  private static func changeLocalAPIC(
    _ arguments: StepArguments, _ subject: any InterruptSubject, _ body: (inout LocalAPICState) -> Void
  ) throws(KVMError) -> StepAnswer {
    let vcpu = subject.vcpu(of: arguments)
    var state = try subject.localAPIC(vcpu)
    // The count moves, so the two sides would not write the same; and none is to end while vCPUs run.
    state[.currentCount] = state[.initialCount]
    body(&state)
    return try subject.setLocalAPIC(vcpu, state) ? .done : .refused
  }
}

extension OperationKind {
  /// The chips' states, as a restore writes them (KVM API, KVM_GET_IRQCHIP and KVM_SET_IRQCHIP).
  static let chips: [OperationKind] = [
    OperationKind(
      .ioapic, "entry", "a redirection entry is written, in the IOAPIC's state",
      [
        .pin, .vector, .destination, .isLogical, .mode, .isLevel,
        OperationArgument("flags", [0, 0, 0, 0x1_0000, 0x4000, 0x2000, 0x1000]),
      ], weight: 25
    ) { (arguments, subject) throws(KVMError) in
      var state = try subject.ioapic()
      let fields = arguments[1] & 0xff | (arguments[4] & 7) << 8 | (arguments[3] & 1) << 11 | (arguments[5] & 1) << 15
      let value = fields | arguments[6] & 0x1_7000 | (arguments[2] & 0xff) << 56
      state.entries[Int(arguments[0] % 24)] = RedirectionEntry(rawValue: value)
      try subject.setIOAPIC(state)
      return .done
    },
    OperationKind(.ioapic, "resave", "the IOAPIC's state is read and written back", [], weight: 3) {
      (_, subject) throws(KVMError) in
      try subject.setIOAPIC(try subject.ioapic())
      return .done
    },
    OperationKind(
      .ioapic, "id", "the IOAPIC's ID and IOREGSEL are written", [OperationArgument("id", [0, 1, 0xf])], weight: 1
    ) {
      (arguments, subject) throws(KVMError) in
      var state = try subject.ioapic()
      state.id = UInt32(truncatingIfNeeded: arguments[0])
      state.registerSelect = UInt32(truncatingIfNeeded: arguments[0]) + 0x10
      try subject.setIOAPIC(state)
      return .done
    },
    OperationKind(
      .pic, "mask", "the mask of a PIC is written, in its state",
      [OperationArgument("chip", OperationValues.flags), OperationArgument("mask", [0, 0xff, 0x04, 0x10, 0xfb])],
      weight: 6
    ) { (arguments, subject) throws(KVMError) in
      try changePIC(arguments, subject) { $0.imr = UInt8(truncatingIfNeeded: arguments[1]) }
    },
    OperationKind(
      .pic, "elcr", "the edge/level register of a PIC is written, in its state",
      [OperationArgument("chip", OperationValues.flags), OperationArgument("lines", [0, 0x20, 0xd8])], weight: 3
    ) { (arguments, subject) throws(KVMError) in
      try changePIC(arguments, subject) { $0.elcr = UInt8(truncatingIfNeeded: arguments[1]) }
    },
    OperationKind(
      .pic, "service", "the IRR and the ISR of a PIC are written, in its state",
      [
        OperationArgument("chip", OperationValues.flags), OperationArgument("irr", [0, 1, 0x10]),
        OperationArgument("isr", [0, 2, 0x20]),
      ],
      weight: 3
    ) { (arguments, subject) throws(KVMError) in
      try changePIC(arguments, subject) {
        $0.irr = UInt8(truncatingIfNeeded: arguments[1])
        $0.isr = UInt8(truncatingIfNeeded: arguments[2])
      }
    },
    OperationKind(
      .pic, "modes", "a PIC's vectors, its modes and how far its initialization is are written, in its state",
      [
        OperationArgument("chip", OperationValues.flags), OperationArgument("vectors", [0x30, 0x38, 0x70, 0]),
        OperationArgument("modes", [0, 1, 2, 4, 8, 0x10, 0x20, 0x12, 0x3f]), OperationArgument("next", [0, 1, 2, 3]),
        OperationArgument("highest", [0, 1, 3, 7]),
      ],
      weight: 4
    ) { (arguments, subject) throws(KVMError) in
      try changePIC(arguments, subject) {
        let flag = { (bit: UInt64) -> UInt8 in UInt8(arguments[2] >> bit & 1) }
        $0.irqBase = UInt8(truncatingIfNeeded: arguments[1] & 0xf8)
        ($0.autoEOI, $0.rotateOnAutoEOI, $0.specialFullyNestedMode) = (flag(0), flag(1), flag(2))
        ($0.specialMask, $0.poll, $0.init4) = (flag(3), flag(4), flag(5))
        $0.initState = UInt8(arguments[3] & 3)
        $0.priorityAdd = UInt8(arguments[4] & 7)
      }
    },
  ]

  /// Changes the state of the PIC that the first argument names.
  private static func changePIC(
    _ arguments: StepArguments, _ subject: any InterruptSubject, _ body: (inout PICState) -> Void
  ) throws(KVMError) -> StepAnswer {
    let chip: PIC.Chip = arguments[0] & 1 == 0 ? .master : .slave
    var state = try subject.pic(chip)
    body(&state)
    try subject.setPIC(chip, state)
    return .done
  }
}

extension OperationKind {
  /// Events of vCPUs: NMIs, INIT and SIPI (KVM API, KVM_NMI, KVM_GET_MP_STATE and KVM_SET_MP_STATE).
  static let events: [OperationKind] = [
    OperationKind(.event, "nmi", "a non-maskable interrupt from user space", [.vcpu], weight: 3, mayBeConcurrent: true)
    {
      (arguments, subject) throws(KVMError) in
      try subject.signalNMI(subject.vcpu(of: arguments))
      return .done
    },
    OperationKind(.event, "state", "what a vCPU does is asked, which makes it take INIT and SIPI", [.vcpu], weight: 12)
    {
      (arguments, subject) throws(KVMError) in
      .value(try subject.activity(subject.vcpu(of: arguments)))
    },
    OperationKind(
      .event, "set", "what a vCPU does is set",
      [
        .vcpu,
        OperationArgument("state", [MPState.runnable, .initReceived, .halted].map { UInt64($0.rawValue) }),
      ],
      weight: 3
    ) { (arguments, subject) throws(KVMError) in
      let state = [MPState.runnable, .halted].first { UInt64($0.rawValue) == arguments[1] } ?? .initReceived
      let vcpu = subject.vcpu(of: arguments)
      return try subject.setActivity(vcpu, state) ? .done : .refused
    },
    OperationKind(.event, "resave", "every state of the machine is read and written back", [], weight: 2) {
      (_, subject) throws(KVMError) in
      for vcpu in 0..<subject.vcpuCount {
        var state = try subject.localAPIC(vcpu)
        state[.currentCount] = state[.initialCount]
        guard try subject.setLocalAPIC(vcpu, state) else { return .refused }
      }
      try subject.setPIC(.master, try subject.pic(.master))
      try subject.setPIC(.slave, try subject.pic(.slave))
      try subject.setIOAPIC(try subject.ioapic())
      return .done
    },
  ]
}
