import APIC
import KVM
import ReferenceModel

extension OperationKind {
  /// Messages of devices (KVM API, KVM_SIGNAL_MSI).
  static let messages: [OperationKind] = [
    OperationKind(
      .msi, "send", "a device writes a message",
      [
        .vector, .destination, .isLogical, .mode, .isLevel, .isAsserted,
        OperationArgument("hint", OperationValues.flags),
      ], weight: 30, mayBeConcurrent: true
    ) { (arguments, subject) throws(KVMError) in
      .delivery(
        try subject.send(
          message(
            arguments[0], arguments[1], isLogical: arguments[2], mode: arguments[3], isLevel: arguments[4],
            isAsserted: arguments[5], hint: arguments[6])))
    },
    OperationKind(
      .msi, "elsewhere", "a device writes a message outside of the local APICs' addresses", [.vector, .destination],
      weight: 2, mayBeConcurrent: true
    ) { (arguments, subject) throws(KVMError) in
      var message = message(arguments[0], arguments[1])
      message.address &= 0xf_ffff
      return .delivery(try subject.send(message))
    },
  ]

  /// The message that those fields make.
  static func message(
    _ vector: UInt64, _ destination: UInt64, isLogical: UInt64 = 0, mode: UInt64 = 0, isLevel: UInt64 = 0,
    isAsserted: UInt64 = 1, hint: UInt64 = 0
  ) -> MSIMessage {
    let address = APICBase.defaultAddress | (destination & 0xff) << 12 | (hint & 1) << 3 | (isLogical & 1) << 2
    let level = (isLevel & 1) << 15 | (isLevel & isAsserted & 1) << 14
    return MSIMessage(address: address, data: UInt32(truncatingIfNeeded: vector & 0xff | (mode & 7) << 8 | level))
  }
}

extension OperationKind {
  /// Lines, by system calls and by irqfds (KVM API, KVM_IRQ_LINE, KVM_IRQ_LINE_STATUS, KVM_IRQFD).
  static let lines: [OperationKind] = [
    OperationKind(
      .line, "set", "a line's level, with its answer", [.gsi, OperationArgument("high", [1, 0])], weight: 40,
      mayBeConcurrent: true
    ) { (arguments, subject) throws(KVMError) in
      .delivery(
        try subject.setLine(UInt32(truncatingIfNeeded: arguments[0]), to: arguments[1] & 1 != 0, tellsStatus: true)
          ?? .ignored)
    },
    OperationKind(
      .line, "quiet", "a line's level, without an answer", [.gsi, OperationArgument("high", [1, 0])], weight: 8,
      mayBeConcurrent: true
    ) { (arguments, subject) throws(KVMError) in
      _ = try subject.setLine(UInt32(truncatingIfNeeded: arguments[0]), to: arguments[1] & 1 != 0, tellsStatus: false)
      return .done
    },
    OperationKind(.line, "irqfd", "a write to a GSI's irqfd", [.gsi], weight: 1, mayBeConcurrent: true) {
      (arguments, subject) throws(KVMError) in
      try subject.fire(UInt32(truncatingIfNeeded: arguments[0]))
      return .done
    },
  ]
}

extension OperationKind {
  /// Routes (KVM API, KVM_SET_GSI_ROUTING).
  static let routing: [OperationKind] = [
    OperationKind(
      .routes, "message", "the default routes, and one GSI that leads to a message",
      [OperationArgument("gsi", OperationValues.messageGSIs), .vector, .destination, .isLogical, .mode, .isLevel],
      weight: 3, mayBeConcurrent: true
    ) { (arguments, subject) throws(KVMError) in
      try subject.setRoutes(
        GSIRoute.defaults.filter { UInt64($0.gsi) != arguments[0] }
          + [
            .msi(
              gsi: UInt32(truncatingIfNeeded: arguments[0]),
              message(
                arguments[1], arguments[2], isLogical: arguments[3], mode: arguments[4], isLevel: arguments[5]))
          ])
      return .done
    },
    OperationKind(.routes, "defaults", "the default routes", [], weight: 1, mayBeConcurrent: true) {
      (_, subject) throws(KVMError) in
      try subject.setRoutes(GSIRoute.defaults)
      return .done
    },
    OperationKind(
      .routes, "pin", "the default routes, and one GSI that leads to a pin of the IOAPIC too",
      [OperationArgument("gsi", OperationValues.messageGSIs), .pin], weight: 1, mayBeConcurrent: true
    ) { (arguments, subject) throws(KVMError) in
      try subject.setRoutes(
        GSIRoute.defaults.filter { UInt64($0.gsi) != arguments[0] }
          + [.irqChip(gsi: UInt32(truncatingIfNeeded: arguments[0]), chip: .ioapic, pin: UInt32(arguments[1] % 24))])
      return .done
    },
  ]
}
