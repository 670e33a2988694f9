import GuestMachine

/// Function 0 of a device on PCI bus 0, reached by ports 0xcf8 and 0xcfc.
public struct PCIDevice: Sendable {
  /// The device's number, 0 to 31.
  public var number: UInt32

  /// A register of configuration space, at a multiple of 4.
  public subscript(register: UInt32) -> UInt32 {
    get {
      port_write32(0xcf8, 1 << 31 | number << 11 | register)
      return port_read32(0xcfc)
    }
    nonmutating set {
      port_write32(0xcf8, 1 << 31 | number << 11 | register)
      port_write32(0xcfc, newValue)
    }
  }

  /// A byte of configuration space.
  public func byte(_ offset: UInt32) -> UInt8 {
    UInt8(truncatingIfNeeded: self[offset & 0xfc] >> (8 * (offset & 3)))
  }

  /// Where the first base address is in memory.
  public var memoryBase: UInt64 { UInt64(self[0x10] & ~0xf) }

  /// Lets it decode memory, and read and write memory itself.
  public func enable() { self[0x04] = self[0x04] & 0xffff | 6 }

  /// The next device of a vendor and device number, after the one that is given; nil where there is none.
  public static func find(_ identity: UInt32, after last: UInt32? = nil) -> PCIDevice? {
    var number = last.map { $0 + 1 } ?? 0
    while number < 32 {
      let device = PCIDevice(number: number)
      if device[0] == identity { return device }
      number += 1
    }
    return nil
  }

  /// The next capability of an id; nil where there is none.
  ///
  /// - Parameters:
  ///   - id: its number.
  ///   - last: where the one before is.
  public func capability(_ id: UInt8, after last: UInt32? = nil) -> UInt32? {
    var place = UInt32(byte(last.map { $0 + 1 } ?? 0x34))
    // As many as there is room for: what leads back into itself ends too.
    for _ in 0..<48 where place != 0 {
      if byte(place) == id { return place }
      place = UInt32(byte(place + 1))
    }
    return nil
  }
}
