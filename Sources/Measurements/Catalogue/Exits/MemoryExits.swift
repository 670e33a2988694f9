import GuestContract

extension Measurement {
  /// Accesses to memory that no slot has, which leave to the VMM and come back.
  static let memoryExits = [
    cost("exit.mmio.read", "A read of 32 bits from a device's memory", stimulus: "nobody claims it: ones", .readMemory),
    cost("exit.mmio.write", "A write of 32 bits to a device's memory", stimulus: "nobody claims it", .writeMemory),
  ]
}
