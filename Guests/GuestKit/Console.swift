import GuestMachine

/// Prints a text on the serial console at 0x3f8, in one instruction.
public func say(_ text: StaticString) {
  port_write_text(0x3f8, text.utf8Start, UInt64(text.utf8CodeUnitCount))
}
