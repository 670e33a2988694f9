public import APIC
import VMM

/// Single registers of the IOAPIC, as a guest reaches them on the bootstrap processor.
extension TestContext {
  /// Reads a register.
  public func readIOAPIC(_ register: IOAPICRegister) throws -> UInt32 {
    try self[vcpu: 0].writeMemory(IOAPIC.defaultAddress + IOAPIC.registerSelectOffset, UInt32(register.rawValue))
    return try self[vcpu: 0].readMemory(IOAPIC.defaultAddress + IOAPIC.windowOffset)
  }

  /// Writes a register.
  public func writeIOAPIC(_ register: IOAPICRegister, _ value: UInt32) throws {
    try self[vcpu: 0].writeMemory(IOAPIC.defaultAddress + IOAPIC.registerSelectOffset, UInt32(register.rawValue))
    try self[vcpu: 0].writeMemory(IOAPIC.defaultAddress + IOAPIC.windowOffset, value)
  }

  /// Writes a redirection entry without masking its pin meanwhile, which `setRedirection` does: what waits at the pin
  /// stays.
  public func rewriteRedirection(pin: Int, _ entry: RedirectionEntry) throws {
    try writeIOAPIC(.redirectionHigh(pin: pin), entry.high)
    try writeIOAPIC(.redirectionLow(pin: pin), entry.low)
  }
}
