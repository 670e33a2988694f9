import KVM
import ReferenceModel

extension OperationKind {
  /// Lines, by system calls and by irqfds (KVM API, KVM_IRQ_LINE, KVM_IRQ_LINE_STATUS, KVM_IRQFD).
  static let lines: [OperationKind] = [
    OperationKind(
      "line.set", "a line's level, with its answer", [.gsi, OperationArgument("high", [1, 0])], weight: 40
    ) { (arguments, subject) throws(KVMError) in
      .delivery(
        try subject.setLine(UInt32(truncatingIfNeeded: arguments[0]), to: arguments[1] & 1 != 0, tellsStatus: true)
          ?? .ignored)
    },
    OperationKind(
      "line.quiet", "a line's level, without an answer", [.gsi, OperationArgument("high", [1, 0])], weight: 8
    ) { (arguments, subject) throws(KVMError) in
      _ = try subject.setLine(UInt32(truncatingIfNeeded: arguments[0]), to: arguments[1] & 1 != 0, tellsStatus: false)
      return .done
    },
    OperationKind("line.irqfd", "a write to a GSI's irqfd", [.gsi], weight: 1) {
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
      "routes.message", "the default routes, and one GSI that leads to a message",
      [OperationArgument("gsi", OperationValues.messageGSIs), .vector, .destination, .isLogical, .mode, .isLevel],
      weight: 3
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
    OperationKind("routes.defaults", "the default routes", [], weight: 1) { (_, subject) throws(KVMError) in
      try subject.setRoutes(GSIRoute.defaults)
      return .done
    },
    OperationKind(
      "routes.pin", "the default routes, and one GSI that leads to a pin of the IOAPIC too",
      [OperationArgument("gsi", OperationValues.messageGSIs), .pin], weight: 1
    ) { (arguments, subject) throws(KVMError) in
      try subject.setRoutes(
        GSIRoute.defaults.filter { UInt64($0.gsi) != arguments[0] }
          + [.irqChip(gsi: UInt32(truncatingIfNeeded: arguments[0]), chip: .ioapic, pin: UInt32(arguments[1] % 24))])
      return .done
    },
  ]
}
