/// A function on the PCI bus: 64 configuration registers of 32 bits, and what its base addresses reach. Its bus calls it
/// under a lock.
protocol PCIFunction: AnyObject, Sendable {
  /// The register of configuration space at a multiple of 4, 0 to 0xfc.
  func configuration(at register: UInt8) -> UInt32

  /// Writes the bytes of a register that `mask` has ones for.
  func configure(_ value: UInt32, mask: UInt32, at register: UInt8)

  /// What an address reaches; nil where the function does not decode it.
  func region(at address: UInt64, space: PCISpace) -> (device: any BusDevice, start: UInt64)?
}

/// An address space that base addresses are in.
enum PCISpace: Hashable, Sendable {
  /// I/O ports.
  case port
  /// Memory.
  case memory
}

/// The registers of configuration space that every function has (PCI Local Bus Specification 3.0, section 6.1).
enum PCIRegister {
  /// Vendor and device.
  static let identity: UInt8 = 0x00
  /// Command and status.
  static let command: UInt8 = 0x04
  /// Revision and class.
  static let classCode: UInt8 = 0x08
  /// Cache line, latency timer, header type, self-test.
  static let header: UInt8 = 0x0c
  /// The first of six base addresses.
  static let baseAddress: UInt8 = 0x10
  /// Subsystem vendor and subsystem.
  static let subsystem: UInt8 = 0x2c
  /// Command: decode ports, decode memory.
  static let decodesPorts: UInt32 = 1
  static let decodesMemory: UInt32 = 2
}
