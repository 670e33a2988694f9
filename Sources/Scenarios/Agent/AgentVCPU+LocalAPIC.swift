public import APIC
import GuestContract

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
