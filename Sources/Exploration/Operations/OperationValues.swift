import APIC

/// The values that arguments choose among: from the simplest on, and the special ones behind.
enum OperationValues {
  static let vcpus: [UInt64] = [0, 1, 2, 3]
  static let flags: [UInt64] = [0, 1]
  static let vectors: [UInt64] = [
    0x40, 0x41, 0x50, 0x51, 0x60, 0x31, 0x30, 0x20, 0x80, 0x8f, 0x90, 0xef, 0xfe, 0xff, 0x1f, 0x10, 0x0f, 0x02, 0x00,
  ]
  static let modes: [UInt64] = [0, 0, 0, 1, 4, 5, 6, 7, 3]
  static let destinations: [UInt64] = [0, 1, 2, 3, 0xff, 4, 5, 6, 7, 8, 0xf, 0x11, 0x12, 0x21, 0x80, 0xf1]
  static let pins: [UInt64] = [20, 21, 1, 4, 8, 0, 2, 5, 9, 10, 12, 16, 23]
  static let gsis: [UInt64] = pins + [24, 25, 26, 15, 13, 100]
  static let messageGSIs: [UInt64] = [24, 25, 26, 20, 4]
  static let counts: [UInt64] = [0, 0xffff_ffff, 0xf000_0000, 0xe000_0000]
  static let words: [UInt64] = [0, 1, 0x10, 0x40, 0xff, 0x1ff, 0x1_0000, 0x8000, 0xffff_ffff, 0x1_0000_0000]
}

extension OperationArgument {
  static let vcpu = OperationArgument("vcpu", OperationValues.vcpus)
  static let vector = OperationArgument("vector", OperationValues.vectors)
  static let mode = OperationArgument("mode", OperationValues.modes)
  static let destination = OperationArgument("destination", OperationValues.destinations)
  static let isLogical = OperationArgument("logical", OperationValues.flags)
  static let isLevel = OperationArgument("level", OperationValues.flags)
  static let isAsserted = OperationArgument("asserted", [1, 0])
  static let gsi = OperationArgument("gsi", OperationValues.gsis)
  static let pin = OperationArgument("pin", OperationValues.pins)
}
