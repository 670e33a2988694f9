import APIC

extension ReferenceIOAPIC {
  /// Reads at an offset from the chip's address (82093AA data sheet, section 3.1).
  public func read(at offset: UInt64) -> UInt32 {
    switch offset {
    case IOAPIC.registerSelectOffset: selected
    case IOAPIC.windowOffset: register
    default: 0
    }
  }

  private var register: UInt32 {
    switch IOAPICRegister(rawValue: UInt8(truncatingIfNeeded: selected)) {
    case .id, .arbitration: return (id & 0xf) << 24
    case .version: return UInt32(version) | 23 << 16
    default:
      guard let (pin, isHigh) = selectedEntry else { return .max }
      return isHigh ? self[pin].high : self[pin].low
    }
  }

  private var selectedEntry: (pin: Int, isHigh: Bool)? {
    guard selected >= 0x10, selected < 0x40 else { return nil }
    return (Int(selected - 0x10) / 2, selected & 1 != 0)
  }

  /// Writes at an offset from the chip's address.
  ///
  /// - Returns: The pins that send because of it, as a bit each, and the vector whose service the write ends.
  mutating func write(_ value: UInt32, at offset: UInt64) -> (sending: UInt32, ended: Vector?) {
    switch offset {
    case IOAPIC.registerSelectOffset: selected = value & 0xff
    case IOAPIC.windowOffset: return (writeRegister(value), nil)
    case IOAPIC.endOfInterruptOffset where version >= 0x20:
      return (0, Vector(rawValue: UInt8(truncatingIfNeeded: value)))
    default: break
    }
    return (0, nil)
  }

  private mutating func writeRegister(_ value: UInt32) -> UInt32 {
    if selected == UInt32(IOAPICRegister.id.rawValue) {
      id = value >> 24 & 0xf
      return 0
    }
    guard let (pin, isHighHalf) = selectedEntry else { return 0 }
    let old = self[pin]
    if isHighHalf { self[pin].high = value } else { self[pin].low = value }
    // Read-only bits of the chip (82093AA data sheet, section 3.2.4).
    self[pin].remoteIRR = old.remoteIRR
    self[pin].isPending = old.isPending
    if self[pin].triggerMode == .edge { self[pin].remoteIRR = false }
    let isHigh = requests >> UInt32(pin) & 1 != 0
    return self[pin].triggerMode == .level && isHigh && canSend(pin) ? 1 << UInt32(pin) : 0
  }
}
