import APIC
import GuestMachine

/// The driver of the IOAPIC at its default address.
public struct IOAPICDriver: Sendable {
  /// A register, reached by its index and the window.
  public subscript(register: IOAPICRegister) -> UInt32 {
    get {
      mmio_write32(IOAPIC.defaultAddress &+ IOAPIC.registerSelectOffset, UInt32(register.rawValue))
      return mmio_read32(IOAPIC.defaultAddress &+ IOAPIC.windowOffset)
    }
    nonmutating set {
      mmio_write32(IOAPIC.defaultAddress &+ IOAPIC.registerSelectOffset, UInt32(register.rawValue))
      mmio_write32(IOAPIC.defaultAddress &+ IOAPIC.windowOffset, newValue)
    }
  }

  /// The redirection entry of a pin. While its two halves are written it is masked.
  public subscript(pin pin: Int) -> RedirectionEntry {
    get { RedirectionEntry(low: self[.redirectionLow(pin: pin)], high: self[.redirectionHigh(pin: pin)]) }
    nonmutating set {
      self[.redirectionLow(pin: pin)] = RedirectionEntry.masked.low
      self[.redirectionHigh(pin: pin)] = newValue.high
      self[.redirectionLow(pin: pin)] = newValue.low
    }
  }
}

/// The machine's IOAPIC.
public let ioapic = IOAPICDriver()
