/// An entry of the local vector table (SDM volume 3A, section 12.5.1).
public struct LVTEntry: RawRepresentable, Hashable, Sendable {
  /// The register's value.
  public var rawValue: UInt32

  /// The fields of that value of the register.
  public init(rawValue: UInt32) {
    self.rawValue = rawValue
  }

  /// An entry for the timer.
  ///
  /// - Parameters:
  ///   - vector: 16 to 255.
  ///   - mode: How the timer counts.
  ///   - isMasked: Whether it counts in silence.
  public static func timer(_ vector: Vector, mode: TimerMode = .oneShot, isMasked: Bool = false) -> LVTEntry {
    var entry = LVTEntry(rawValue: 0)
    entry.vector = vector
    entry.timerMode = mode
    entry.isMasked = isMasked
    return entry
  }

  /// An entry for a pin, or with the defaults for any source but the timer.
  ///
  /// - Parameters:
  ///   - vector: 16 to 255 if the delivery mode is fixed; else it is ignored.
  ///   - deliveryMode: What the source does: fixed, SMI, NMI, INIT or ExtINT.
  ///   - polarity: The level at which the pin is asserted.
  ///   - triggerMode: Whether the pin is an edge or a level.
  ///   - isMasked: Whether the source is ignored.
  public static func pin(
    _ vector: Vector, deliveryMode: DeliveryMode = .fixed, polarity: Polarity = .activeHigh,
    triggerMode: TriggerMode = .edge, isMasked: Bool = false
  ) -> LVTEntry {
    var entry = LVTEntry(rawValue: 0)
    entry.vector = vector
    entry.deliveryMode = deliveryMode
    entry.polarity = polarity
    entry.triggerMode = triggerMode
    entry.isMasked = isMasked
    return entry
  }

  /// The entry after reset: masked, all else zero (SDM volume 3A, section 12.4.7.1).
  public static var masked: LVTEntry { .pin(0, isMasked: true) }
}

extension LVTEntry {
  /// Bits 7:0.
  public var vector: Vector {
    get { rawValue.vector }
    set { rawValue.vector = newValue }
  }

  /// Bits 10:8; `nil` is the reserved encoding.
  ///
  /// The timer and the errors have no such field, and read as fixed.
  public var deliveryMode: DeliveryMode? {
    get { rawValue.deliveryMode }
    set { rawValue.deliveryMode = newValue }
  }

  /// Bit 12, the delivery status; read-only to software.
  public var isPending: Bool {
    get { rawValue.isPending }
    set { rawValue.isPending = newValue }
  }

  /// Bit 13, of LINT0 and LINT1.
  public var polarity: Polarity {
    get { rawValue.polarity }
    set { rawValue.polarity = newValue }
  }

  /// Bit 14, of LINT0 and LINT1: a level-triggered interrupt waits for its EOI; read-only to software.
  public var remoteIRR: Bool {
    get { rawValue.remoteIRR }
    set { rawValue.remoteIRR = newValue }
  }

  /// Bit 15, of LINT0 and LINT1.
  public var triggerMode: TriggerMode {
    get { rawValue.triggerMode }
    set { rawValue.triggerMode = newValue }
  }

  /// Bit 16.
  public var isMasked: Bool {
    get { rawValue.isMasked }
    set { rawValue.isMasked = newValue }
  }

  /// Bits 18:17, of the timer; `nil` is the reserved encoding.
  public var timerMode: TimerMode? {
    get { TimerMode(rawValue: UInt8(truncatingIfNeeded: rawValue[bits: 17...18])) }
    set { rawValue[bits: 17...18] = UInt32(newValue?.rawValue ?? TimerMode.reservedEncoding) }
  }
}

#if !hasFeature(Embedded)
extension LVTEntry: CustomStringConvertible {
  /// What every entry has, as in `Fixed 0x40` and `NMI 0x00, masked`.
  public var description: String {
    rawValue.deliveryDescription + (isPending ? ", send pending" : "") + (isMasked ? ", masked" : "")
  }
}
#endif

/// A source inside the processor that has an entry in the local vector table (SDM volume 3A, section 12.5.1).
public enum LocalVector: Sendable {
  /// The corrected machine-check interrupt.
  case cmci
  /// The local APIC's timer.
  case timer
  /// The thermal sensor.
  case thermal
  /// The performance counters.
  case performance
  /// The LINT0 pin.
  case lint0
  /// The LINT1 pin.
  case lint1
  /// The errors that the ESR records.
  case error

  /// The register that holds the entry.
  public var register: LocalAPICRegister {
    switch self {
    case .cmci: .lvtCMCI
    case .timer: .lvtTimer
    case .thermal: .lvtThermal
    case .performance: .lvtPerformance
    case .lint0: .lvtLINT0
    case .lint1: .lvtLINT1
    case .error: .lvtError
    }
  }
}

#if !hasFeature(Embedded)
extension LocalVector: CaseIterable {}
#endif

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
