import APIC
import KVM

extension OperationKind {
  /// What vCPUs do to the PICs by their ports (8259A data sheet).
  static let ports: [OperationKind] = [
    OperationKind(
      .port, "read", "a vCPU reads a register of the PICs",
      [.vcpu, .port, OperationArgument("width", [1, 1, 2])], weight: 5, needsGuest: true
    ) { (arguments, subject) throws(KVMError) in
      let port = UInt16(truncatingIfNeeded: arguments[1])
      return try subject.access(
        subject.vcpu(of: arguments),
        GuestAccess(.ports, at: port, width: portWidth(arguments[2], port)))
    },
    OperationKind(
      .port, "write", "a vCPU masks lines of the PICs, ends their service, or gives them another command",
      [
        .vcpu, .port,
        OperationArgument(
          "value", [0x20, 0, 0x60, 0x62, 0x0a, 0x0b, 0xff, 0xfb, 0xa0, 0xe1, 0xc2, 0x80, 0x68, 0x48, 0x0c, 0x11]),
        OperationArgument("width", [1, 1, 1, 2]),
      ], weight: 10, needsGuest: true
    ) { (arguments, subject) throws(KVMError) in
      let port = UInt16(truncatingIfNeeded: arguments[1])
      return try subject.access(
        subject.vcpu(of: arguments),
        GuestAccess(.ports, at: port, width: portWidth(arguments[3], port), writing: arguments[2] & 0xff))
    },
    OperationKind(
      .port, "initialize", "a vCPU initializes a PIC, with all of ICW1 to ICW4 or the first of them",
      [
        .vcpu, OperationArgument("chip", OperationValues.flags),
        OperationArgument("icw1", [0x11, 0x10, 0x13, 0x19, 0x1b, 0x12]),
        OperationArgument("icw2", [0x30, 0x38, 0x70, 0x47, 0, 0xf8]),
        OperationArgument("icw4", [0x01, 0x03, 0x11, 0x13, 0]), OperationArgument("words", [4, 3, 1, 2]),
      ], weight: 6, needsGuest: true
    ) { (arguments, subject) throws(KVMError) in
      let chip = chip(arguments[1])
      let words: [(port: UInt16, value: UInt64)] = [
        (chip.commandPort, arguments[2] | 0x10), (chip.dataPort, arguments[3]), (chip.dataPort, UInt64(chip.cascade)),
        (chip.dataPort, arguments[4]),
      ]
      var answer = StepAnswer.done
      for word in words.prefix(max(1, Int(truncatingIfNeeded: arguments[5] & 7))) {
        answer = try subject.access(
          subject.vcpu(of: arguments), GuestAccess(.ports, at: word.port, width: 1, writing: word.value & 0xff))
      }
      return answer
    },
    OperationKind(
      .port, "poll", "a vCPU polls a PIC, or tells it that the next read does",
      [
        .vcpu, OperationArgument("chip", OperationValues.flags), OperationArgument("data", OperationValues.flags),
        OperationArgument("command", [0x0c, 0x0e, 0x0f, 0x6c]), OperationArgument("read", [1, 1, 1, 0]),
      ], weight: 8, needsGuest: true
    ) { (arguments, subject) throws(KVMError) in
      let (vcpu, chip) = (subject.vcpu(of: arguments), chip(arguments[1]))
      let answer = try subject.access(
        vcpu, GuestAccess(.ports, at: chip.commandPort, width: 1, writing: arguments[3] & 0xff))
      guard arguments[4] & 1 != 0 else { return answer }
      let port = arguments[2] & 1 == 0 ? chip.commandPort : chip.dataPort
      return try subject.access(vcpu, GuestAccess(.ports, at: port, width: 1))
    },
  ]

  private static func chip(_ argument: UInt64) -> PIC.Chip { argument & 1 == 0 ? .master : .slave }

  /// Two bytes from an odd port on are no longer the PICs' alone, and leave KVM.
  private static func portWidth(_ argument: UInt64, _ port: UInt16) -> Int { argument == 2 && port & 1 == 0 ? 2 : 1 }
}

extension OperationArgument {
  fileprivate static let port = OperationArgument("port", [0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1])
}
