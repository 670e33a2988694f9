/// The host bridge of a 440FX, which guests look for at 00:00.0. It has no registers beyond its identity.
final class HostBridge: PCIFunction {
  static let place: UInt8 = 0

  func configuration(at register: UInt8) -> UInt32 {
    switch register {
    case PCIRegister.identity: 0x1237_8086
    case PCIRegister.command: PCIRegister.decodesPorts | PCIRegister.decodesMemory
    case PCIRegister.classCode: 0x0600_0002
    default: 0
    }
  }

  func configure(_ value: UInt32, mask: UInt32, at register: UInt8) {}

  func region(at address: UInt64, space: PCISpace) -> (device: any BusDevice, start: UInt64)? { nil }
}
