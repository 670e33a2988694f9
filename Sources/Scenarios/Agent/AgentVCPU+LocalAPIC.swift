public import APIC
import GuestContract
import VMM

/// The local APIC, as the case's mode reaches it.
extension AgentVCPU {
  /// Reads a register of the local APIC.
  public func read(_ register: LocalAPICRegister, word: Int = 0) throws -> UInt32 {
    switch test.mode {
    case .x2APIC: UInt32(truncatingIfNeeded: try readMSR(register.msr(word: word)))
    default: try readMemory(APICBase.defaultAddress + UInt64(register.offset(word: word)))
    }
  }

  /// Writes a register of the local APIC.
  public func write(_ register: LocalAPICRegister, _ value: UInt32) throws {
    switch test.mode {
    case .x2APIC: try writeMSR(register.msr, UInt64(value))
    default: try writeMemory(APICBase.defaultAddress + UInt64(register.rawValue), value)
    }
  }

  /// The 256 bits of the ISR, the TMR or the IRR.
  public func readVectors(_ register: LocalAPICRegister) throws -> VectorSet {
    var set = VectorSet()
    for word in 0..<8 { set[word: word] = try read(register, word: word) }
    return set
  }

  /// Sends an interprocessor interrupt.
  public func send(_ command: InterruptCommand) throws {
    test.noteSending(command, from: index)
    try test.withPathCut(sender: index) { try write(command) }
  }

  private func write(_ command: InterruptCommand) throws {
    switch test.mode {
    case .x2APIC: try writeMSR(LocalAPICRegister.interruptCommand.msr, command.rawValue)
    default:
      try write(.interruptCommandHigh, command.xAPICHigh)
      try write(.interruptCommand, command.xAPICLow)
    }
  }

  /// Ends the service of the interrupt with the highest priority.
  public func endOfInterrupt() throws { try write(.endOfInterrupt, 0) }

  /// Tells the agent in which mode its handlers reach the local APIC from now on; the scenario has switched it.
  public func use(_ mode: APICMode) throws { try perform(.setMode, mode == .x2APIC ? 1 : 0) }

  /// What a handler of the agent does, besides recording its interrupt.
  public struct Handling: OptionSet, Hashable, Sendable {
    /// The bits of GuestAgent.h.
    public let rawValue: UInt32

    /// The handling with those bits.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Lets other interrupts in while it runs.
    public static let nests = Handling(rawValue: AgentHandler.nests.rawValue)
    /// Waits until the vector that is the parameter was recorded on this vCPU, at most for half a second.
    public static let waits = Handling(rawValue: AgentHandler.waits.rawValue)
    /// Asks the host to lower the line that is the parameter.
    public static let lowers = Handling(rawValue: AgentHandler.lowers.rawValue)
    /// Ends the interrupt's service: what the agent does for every vector unless it is told otherwise.
    public static let acknowledges = Handling(rawValue: AgentHandler.acknowledges.rawValue)
    /// Notes the processor priority in the log, as the figure "processor priority".
    public static let notesPriority = Handling(rawValue: AgentHandler.notesPriority.rawValue)
    /// Waits until the host opens the vCPU's gate.
    public static let holds = Handling(rawValue: AgentHandler.holds.rawValue)
    /// Ends the service by the word of PV EOI at the address that is the parameter, where it is set: that is the figure
    /// "EOI by memory".
    public static let clearsPVEOI = Handling(rawValue: AgentHandler.clearsPVEOI.rawValue)
  }

  /// Handles a vector, on all vCPUs, as `handling` says.
  public func handle(_ vector: Vector, _ handling: Handling, parameter: UInt32 = 0) throws {
    try perform(.setHandler, UInt64(vector.rawValue), UInt64(handling.rawValue), UInt64(parameter))
  }
}

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
