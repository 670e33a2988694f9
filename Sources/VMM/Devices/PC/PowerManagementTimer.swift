/// The ACPI power management timer: 24 bits that count at 3.579545 MHz (ACPI specification, section 4.8.3.3).
final class PowerManagementTimer: BusDevice {
  static let port: UInt64 = 0x608
  static let ports: Range<UInt64> = port..<port + 4
  static let frequency: UInt64 = 3_579_545

  private let start = ContinuousClock.now

  func read(_ access: BusAccess) -> UInt64 {
    Self.count(after: start.duration(to: .now)) >> (8 * access.offset)
  }

  /// It cannot be set.
  func write(_ value: UInt64, _ access: BusAccess) {}

  /// What the timer shows a while after it began.
  static func count(after time: Duration) -> UInt64 {
    let (seconds, attoseconds) = time.components
    let ticks =
      UInt64(clamping: seconds) &* frequency &+ UInt64(clamping: attoseconds / 1_000_000_000) &* frequency
      / 1_000_000_000
    return ticks & 0xff_ffff
  }
}
