import Support

/// The configuration space of a function with one base address in memory, MSI-X and a line (PCI Local Bus Specification 3.0,
/// chapter 6), as a value. What MSI-X's message control says is beside it.
struct PCIEndpoint: Hashable, Sendable {
  /// Where the capabilities begin. The first is MSI-X.
  static let firstCapability: UInt8 = 0x40
  private static let capabilityPointer: UInt8 = 0x34
  private static let interruptRegister: UInt8 = 0x3c
  private static let busMaster: UInt32 = 1 << 2
  private static let disablesLine: UInt32 = 1 << 10
  private static let writableCommand = PCIRegister.decodesMemory | busMaster | disablesLine

  /// What never changes.
  struct Identity: Hashable, Sendable {
    /// Device above vendor.
    var identity: UInt32
    /// Class, subclass, interface and revision.
    var classCode: UInt32
    /// Subsystem above its vendor.
    var subsystem: UInt32
    /// How many bytes the base address decodes: a power of two.
    var memorySize: UInt32
    /// The capabilities, from 0x40 on, one after the other: whole words.
    var capabilities: [UInt8]
  }

  let identity: Identity
  /// The command register's bits that can be written.
  var command = PCIRegister.decodesMemory
  /// Where the function's registers are in memory.
  var memoryBase: UInt32
  /// What the firmware says of the line; nothing heeds it.
  var interruptLine: UInt8

  /// Whether accesses to its base address reach the function.
  var decodesMemory: Bool { command & PCIRegister.decodesMemory != 0 }
  /// Whether it may read and write memory, and send messages.
  var isBusMaster: Bool { command & Self.busMaster != 0 }
  /// Whether its line stays low.
  var disablesLine: Bool { command & Self.disablesLine != 0 }

  /// Whether the function decodes an address.
  func holds(_ address: UInt64) -> Bool {
    decodesMemory && address >= UInt64(memoryBase) && address - UInt64(memoryBase) < UInt64(identity.memorySize)
  }

  /// A register.
  ///
  /// - Parameters:
  ///   - register: a multiple of 4, 0 to 0xfc.
  ///   - messageControl: MSI-X's bits 15:14, which can be written; the others are among the capabilities.
  ///   - isAsserted: whether its line would be high if it were not disabled.
  func read(_ register: UInt8, messageControl: UInt32, isAsserted: Bool) -> UInt32 {
    switch register {
    case PCIRegister.identity: return identity.identity
    // Status, bits 4 and 3: there are capabilities; an interrupt is wanted.
    case PCIRegister.command: return command | 1 << 20 | (isAsserted ? 1 << 19 : 0)
    case PCIRegister.classCode: return identity.classCode
    case PCIRegister.baseAddress: return memoryBase
    case PCIRegister.subsystem: return identity.subsystem
    case Self.capabilityPointer: return UInt32(Self.firstCapability)
    // Pin A.
    case Self.interruptRegister: return 1 << 8 | UInt32(interruptLine)
    case Self.firstCapability: return capabilityWord(register) | messageControl << 16
    default: return capabilityWord(register)
    }
  }

  private func capabilityWord(_ register: UInt8) -> UInt32 {
    identity.capabilities.littleEndian(UInt32.self, at: Int(register) - Int(Self.firstCapability)) ?? 0
  }

  /// Writes the bytes of a register that `mask` has ones for.
  mutating func write(_ value: UInt32, mask: UInt32, to register: UInt8) {
    func merged(_ old: UInt32) -> UInt32 { old & ~mask | value & mask }
    switch register {
    case PCIRegister.command: command = merged(command) & Self.writableCommand
    case PCIRegister.baseAddress: memoryBase = merged(memoryBase) & ~(identity.memorySize - 1)
    case Self.interruptRegister: interruptLine = UInt8(truncatingIfNeeded: merged(UInt32(interruptLine)))
    default: break
    }
  }
}
