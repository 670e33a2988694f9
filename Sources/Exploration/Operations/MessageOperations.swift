import APIC
import KVM
import ReferenceModel

extension OperationKind {
  /// Messages of devices (KVM API, KVM_SIGNAL_MSI).
  static let messages: [OperationKind] = [
    OperationKind(
      "msi.send", "a device writes a message",
      [
        .vector, .destination, .isLogical, .mode, .isLevel, .isAsserted,
        OperationArgument("hint", OperationValues.flags),
      ], weight: 30
    ) { (arguments, subject) throws(KVMError) in
      .delivery(
        try subject.send(
          message(
            arguments[0], arguments[1], isLogical: arguments[2], mode: arguments[3], isLevel: arguments[4],
            isAsserted: arguments[5], hint: arguments[6])))
    },
    OperationKind(
      "msi.elsewhere", "a device writes a message outside of the local APICs' addresses", [.vector, .destination],
      weight: 2
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
