import Support

/// A message of Hyper-V's synthetic interrupt controller (Hypervisor Top-Level Functional Specification, section 11.8).
struct HyperVMessage: Hashable {
  /// A slot in the page of messages, of which each source of a vCPU has one.
  static let slotSize: UInt64 = 256
  /// Where a slot says what message is in it; 0 where it is free.
  static let typeOffset: UInt64 = 0
  /// Where a slot has its flags: bit 0 asks for an end of message, as another message waits.
  static let flagsOffset: UInt64 = 5
  static let pendingFlag: UInt8 = 1
  static let payloadLimit = 240

  let type: UInt32
  let payload: [UInt8]

  /// The parameters of HvPostMessage: to whom, and what.
  ///
  /// - Parameter bytes: all 256.
  /// - Returns: nil where the message is longer than one can be, or has no type.
  init?(posted bytes: [UInt8]) {
    type = UInt32(truncatingIfNeeded: bytes[8..<12].littleEndian)
    let count = Int(bytes[12..<16].littleEndian)
    guard type != 0, count <= Self.payloadLimit else { return nil }
    payload = Array(bytes[16..<16 + count])
  }

  /// Whom the parameters of HvPostMessage name.
  static func connection(posted bytes: [UInt8]) -> UInt32 { UInt32(truncatingIfNeeded: bytes[0..<4].littleEndian) }

  /// A slot's bytes behind its type: length, no flags, no sender, and what the message says.
  var slot: [UInt8] { [UInt8(payload.count)] + [UInt8](repeating: 0, count: 11) + payload }
  /// Where those begin.
  static let slotOffset: UInt64 = 4
}
