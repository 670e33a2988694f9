public import APIC
import GuestContract
import VMM

/// The local APIC's timer, and time itself.
extension AgentVCPU {
  /// Sets the timer's entry of the local vector table.
  public func setTimer(_ vector: Vector, _ mode: TimerMode = .oneShot, isMasked: Bool = false) throws {
    try write(.lvtTimer, LVTEntry.timer(vector, mode: mode, isMasked: isMasked).rawValue)
  }

  /// Writes the divide configuration.
  public func setDivide(_ divide: TimerDivide) throws { try write(.divide, divide.registerValue) }

  /// Writes the initial count, which starts the timer; 0 stops it.
  public func startTimer(count: UInt32) throws { try write(.initialCount, count) }

  /// Writes IA32_TSC_DEADLINE; 0 disarms it.
  public func setDeadline(_ tsc: UInt64) throws { try writeMSR(MSR.tscDeadline, tsc) }

  /// Reads IA32_TSC_DEADLINE.
  public func deadline() throws -> UInt64 { try readMSR(MSR.tscDeadline) }

  /// So many milliseconds in cycles of the TSC.
  public func cycles(milliseconds: UInt64) -> UInt64 { UInt64(test.machine.clock.kHz) * milliseconds }

  /// Waits until the guest's TSC is past `tsc`.
  public func untilPast(_ tsc: UInt64) throws {
    try test.until("the TSC is past \(tsc)") { try readTSC() > tsc }
  }

  /// Has it halt, lets interrupts in with that, and waits until one has woken it. One that was held off until then and has
  /// come already is as good, so nothing depends on who is first.
  public func haltUntilWoken() throws {
    try begin(.halt, [0])
    try finishHalt()
  }

  /// The timer's current count, and the TSC before and after it was read.
  public func readCount() throws -> TimerReading {
    let before = try readTSC()
    let count = try read(.currentCount)
    return TimerReading(count: count, before: before, after: try readTSC())
  }
}

/// A current count, and between which two values of the TSC it was read.
public struct TimerReading: Hashable, Sendable {
  /// The current count.
  public let count: UInt32
  /// The TSC before it was read.
  public let before: UInt64
  /// The TSC after it was read.
  public let after: UInt64

  /// How many counts may have elapsed from this reading to a later one, however long the readings took: 1 % is left for
  /// the difference between the clocks of the TSC and of the timer.
  ///
  /// - Parameters:
  ///   - later: the later reading.
  ///   - nanoseconds: how long one count takes.
  ///   - kHz: the frequency of the TSC.
  public func plausibleCounts(to later: TimerReading, nanoseconds: UInt64, kHz: UInt32) -> ClosedRange<Double> {
    func counts(_ cycles: UInt64) -> Double { Double(cycles) * 1e6 / Double(kHz) / Double(nanoseconds) }
    let least = counts(later.before > after ? later.before - after : 0)
    return max(least * 0.99 - 2, 0)...counts(later.after &- before) * 1.01 + 2
  }
}
