import GuestMachine

/// Memory and memory-mapped registers by address, one access each, in the order in which they are written: what a driver
/// shares with its device.
public struct PhysicalMemory: Sendable {
  /// A byte.
  public subscript(byte address: UInt64) -> UInt8 {
    get { mmio_read8(address) }
    nonmutating set { mmio_write8(address, newValue) }
  }

  /// 16 bits, at an even address.
  public subscript(half address: UInt64) -> UInt16 {
    get { mmio_read16(address) }
    nonmutating set { mmio_write16(address, newValue) }
  }

  /// 32 bits, at a multiple of 4.
  public subscript(word address: UInt64) -> UInt32 {
    get { mmio_read32(address) }
    nonmutating set { mmio_write32(address, newValue) }
  }
}

/// All of memory up to 4 GiB, of which what lies from 3 GiB on is not cached.
public let physicalMemory = PhysicalMemory()
