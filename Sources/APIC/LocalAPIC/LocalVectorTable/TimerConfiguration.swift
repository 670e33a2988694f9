/// How the local APIC's timer runs (SDM volume 3A, section 12.5.4).
///
/// Encoding 3 is reserved; an `LVTEntry` that holds it gives `nil`.
public enum TimerMode: UInt8, Sendable {
  /// Counts down once.
  case oneShot = 0
  /// Counts down, and starts again from the initial count.
  case periodic = 1
  /// Waits until the TSC reaches IA32_TSC_DEADLINE (SDM volume 3A, section 12.5.4.1).
  case tscDeadline = 2

  /// The encoding that means no mode.
  static var reservedEncoding: UInt8 { 3 }
}

#if !hasFeature(Embedded)
extension TimerMode: CaseIterable {}
#endif

/// How many cycles of its clock the timer takes to count down by one: the divide configuration register (SDM volume 3A,
/// section 12.5.4).
///
/// The raw value is the register's, which has the code in bits 3, 1 and 0.
public enum TimerDivide: UInt32, Sendable {
  /// Counts every cycle.
  case by1 = 0b1011
  /// Counts every 2nd cycle, as after reset.
  case by2 = 0b0000
  /// Counts every 4th cycle.
  case by4 = 0b0001
  /// Counts every 8th cycle.
  case by8 = 0b0010
  /// Counts every 16th cycle.
  case by16 = 0b0011
  /// Counts every 32nd cycle.
  case by32 = 0b1000
  /// Counts every 64th cycle.
  case by64 = 0b1001
  /// Counts every 128th cycle.
  case by128 = 0b1010

  /// The divide configuration that a value of the register selects.
  ///
  /// - Parameter registerValue: The register; its other bits are ignored.
  public init(registerValue: UInt32) {
    // The eight codes are the eight cases, so the default is never taken.
    self = TimerDivide(rawValue: registerValue & 0b1011) ?? .by1
  }

  /// The register's value.
  public var registerValue: UInt32 { rawValue }

  /// The number that the clock is divided by: 1 to 128.
  public var divisor: UInt32 {
    switch self {
    case .by1: 1
    case .by2: 2
    case .by4: 4
    case .by8: 8
    case .by16: 16
    case .by32: 32
    case .by64: 64
    case .by128: 128
    }
  }
}

#if !hasFeature(Embedded)
extension TimerDivide: CaseIterable {}
#endif
