public import APIC

/// A counter of the 8254 as a value (8254 data sheet). Time is in cycles of its clock, 1.193182 MHz.
///
/// Its gate is high all the time, and to load a count triggers it in the modes that wait for the gate. It counts in binary, has
/// no read-back command, and counts an odd square wave by twos from the beginning.
public struct ReferencePITCounter: Hashable, Sendable {
  /// How it counts.
  public private(set) var mode = PIT.Mode.interruptOnTerminalCount
  /// Which bytes go through its port.
  public private(set) var access = PIT.Access.lowThenHigh
  /// What it counts down from: 1 to 65536; nil before the first count.
  public private(set) var count: UInt32?
  /// The cycle in which it was loaded.
  public private(set) var loaded: UInt64 = 0
  private var lowByte: UInt8?
  private var latched: UInt16?
  private var readsHigh = false

  /// A counter that has no mode yet.
  public init() {}

  /// A control word for this counter (8254 data sheet, control word format).
  ///
  /// - Parameters:
  ///   - command: The control word.
  ///   - cycle: When.
  public mutating func control(_ command: PIT.Command, at cycle: UInt64) {
    guard let access = PIT.Access(rawValue: command.rawValue >> 4 & 3), access != .latch else {
      // A second latch before the first is read changes nothing.
      if latched == nil { latched = value(at: cycle) }
      return
    }
    self.access = access
    // Modes 6 and 7 are 2 and 3.
    let number = command.rawValue >> 1 & 7
    mode = PIT.Mode(rawValue: number > 5 ? number - 4 : number) ?? .interruptOnTerminalCount
    count = nil
    lowByte = nil
    latched = nil
    readsHigh = false
  }

  /// A byte written to its port; the count is loaded with the last one.
  public mutating func write(_ byte: UInt8, at cycle: UInt64) {
    switch access {
    case .low: load(UInt16(byte), at: cycle)
    case .high: load(UInt16(byte) << 8, at: cycle)
    case .lowThenHigh, .latch:
      guard let low = lowByte else {
        lowByte = byte
        return
      }
      lowByte = nil
      load(UInt16(byte) << 8 | UInt16(low), at: cycle)
    }
  }

  private mutating func load(_ value: UInt16, at cycle: UInt64) {
    count = value == 0 ? 65_536 : UInt32(value)
    loaded = cycle
  }

  /// A byte read from its port.
  public mutating func read(at cycle: UInt64) -> UInt8 {
    let value = latched ?? self.value(at: cycle)
    let isHigh = access == .high || access == .lowThenHigh && readsHigh
    if access == .lowThenHigh { readsHigh.toggle() }
    if !readsHigh { latched = nil }
    return UInt8(truncatingIfNeeded: isHigh ? value >> 8 : value)
  }

  /// The count at a moment (8254 data sheet, mode definitions).
  public func value(at cycle: UInt64) -> UInt16 {
    guard let count else { return 0 }
    let elapsed = cycle &- loaded
    switch mode {
    case .rateGenerator: return UInt16(truncatingIfNeeded: UInt64(count) - elapsed % UInt64(count))
    case .squareWave: return UInt16(truncatingIfNeeded: UInt64(count) - elapsed % UInt64(count) * 2 % UInt64(count))
    default: return UInt16(truncatingIfNeeded: UInt64(count) &- elapsed)
    }
  }

  /// The output at a moment (8254 data sheet, mode definitions).
  public func output(at cycle: UInt64) -> Bool {
    guard let count else { return mode != .interruptOnTerminalCount }
    let elapsed = cycle &- loaded
    switch mode {
    case .interruptOnTerminalCount: return elapsed >= UInt64(count)
    case .hardwareOneShot: return elapsed >= UInt64(count)
    case .rateGenerator: return elapsed % UInt64(count) != UInt64(count) - 1
    case .squareWave: return elapsed % UInt64(count) < (UInt64(count) + 1) / 2
    case .softwareStrobe, .hardwareStrobe: return elapsed != UInt64(count)
    }
  }
}
