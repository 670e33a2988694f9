import GuestContract

extension Measurement {
  /// Port accesses that leave to the VMM and come back.
  static let portExits = [
    cost("exit.port.in", "IN of 32 bits", stimulus: "its command port answers 0", .readPort),
    cost("exit.port.out", "OUT of 32 bits", stimulus: "its command port notes a mark", .writePort),
  ]
}
