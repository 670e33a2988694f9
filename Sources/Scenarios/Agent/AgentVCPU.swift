public import APIC
import GuestContract
import VMM

/// A vCPU as a scenario speaks to it: each call is carried out by the guest, on that vCPU.
public struct AgentVCPU {
  /// Its index.
  public let index: Int
  let test: TestContext

  private var mailbox: AgentMailbox { test.machine.mailbox(of: index) }

  /// Its APIC id.
  public var apicID: UInt32 { test.machine.configuration.apicIDs[index] }

  /// Where an interrupt for it is sent.
  public var destination: Destination { .physical(apicID) }

  /// How often its agent has started: once at first, and again after each INIT and SIPI.
  public func starts() throws -> UInt32 { try mailbox.starts }

  /// Has an operation carried out and waits for it.
  ///
  /// - Throws: `ScenarioFailure` where it is not done in time, or raises an exception.
  @discardableResult
  func perform(_ operation: AgentOperation, _ arguments: UInt64...) throws -> (first: UInt64, second: UInt64) {
    let answer = try attempt(operation, arguments)
    if let fault = answer.fault { throw ScenarioFailure("vCPU \(index): \(operation.text) raised exception \(fault)") }
    return (answer.first, answer.second)
  }

  /// The same, where an exception is an answer.
  func attempt(_ operation: AgentOperation, _ arguments: [UInt64]) throws -> AgentMailbox.Answer {
    try begin(operation, arguments)
    return try finish(operation)
  }

  /// Has an operation begun, which may take until something else happens.
  func begin(_ operation: AgentOperation, _ arguments: [UInt64]) throws {
    try test.until("vCPU \(index) is free for \(operation.text)") { try mailbox.isDone }
    try mailbox.post(operation, arguments)
  }

  /// Waits for the end of the operation that was begun.
  @discardableResult
  func finish(_ operation: AgentOperation) throws -> AgentMailbox.Answer {
    try test.until("vCPU \(index) is done with \(operation.text)") { try mailbox.isDone }
    return try mailbox.answer()
  }

  /// Whether the operation that was begun last is done.
  public func isIdle() throws -> Bool { try mailbox.isDone }
}

extension AgentOperation {
  var text: String {
    switch self {
    case .readMSR: "RDMSR"
    case .writeMSR: "WRMSR"
    case .readMemory: "a read of memory"
    case .writeMemory: "a write to memory"
    case .readPort: "IN"
    case .writePort: "OUT"
    case .readCR8, .writeCR8: "MOV CR8"
    case .readTSC: "RDTSC"
    case .cpuid: "CPUID"
    case .setInterrupts: "STI or CLI"
    case .halt: "HLT"
    case .spin: "spinning"
    case .setHandler: "setting a handler"
    case .hypercall: "a hypercall"
    case .shadow: "an interrupt shadow"
    case .setMode: "changing its APIC mode"
    case .startProcessors: "starting processors"
    case .volley: "a volley of interrupts"
    default: "operation \(rawValue)"
    }
  }
}

/// What a vCPU does while it waits for an interrupt.
extension AgentVCPU {
  /// Has it halt, with interrupts let in, and waits until KVM has put it to sleep. The next interrupt wakes it.
  public func halt() throws {
    try begin(.halt, [0])
    try test.untilHalted(index)
  }

  /// The same with interrupts held off: only an NMI, an SMI or an INIT wakes it.
  public func haltMasked() throws {
    try begin(.halt, [1])
    try test.untilHalted(index)
  }

  /// Waits until it goes on after a halt.
  public func finishHalt() throws { try finish(.halt) }

  /// Has it spin inside the guest, without leaving it by itself, until it has recorded `vector` so many times in all, or
  /// `seconds` of guest time have passed.
  public func spin(until vector: Vector, reaches count: Int, seconds: UInt64 = 10) throws {
    let cycles = UInt64(test.machine.clock.kHz) * 1000 * seconds
    try begin(.spin, [UInt64(vector.rawValue), UInt64(count), cycles])
  }

  /// Waits for the end of that; how often it had recorded the vector then.
  @discardableResult
  public func finishSpin() throws -> Int { Int(clamping: try finish(.spin).first) }

  /// With an interrupt pending and held off: lets it in behind an instruction that must still run before it. Gives the
  /// TSC in the shadow and after it.
  ///
  /// - Parameter movSS: MOV SS prolongs the shadow of STI.
  public func shadow(movSS: Bool) throws -> (inside: UInt64, after: UInt64) {
    let answer = try perform(.shadow, movSS ? 1 : 0)
    return (answer.first, answer.second)
  }

  /// Starts the application processors with INIT and SIPI.
  public func startProcessors() throws {
    guard try perform(.startProcessors).first == 1 else {
      throw ScenarioFailure("not all application processors started")
    }
  }
}

extension AgentVCPU {
  /// Lets the handlers go on that hold on this vCPU, and does not hold those to come.
  public func openGate() throws { try test.machine.mailbox(of: index).setGate(open: true) }

  /// Has it send an interprocessor interrupt `times` times, each when all that the one before raises are recorded, so
  /// that none can fall together with another. Begun, not waited for: see `finishVolley`.
  ///
  /// - Parameters:
  ///   - command: the interrupt; nobody else sends its vector.
  ///   - times: how often.
  ///   - receivers: how many vCPUs each of them interrupts.
  public func beginVolley(_ command: InterruptCommand, times: Int, receivers: Int) throws {
    test.noteSending(command, from: index)
    let (seconds, _) = test.patience.components
    let cycles = UInt64(test.machine.clock.kHz) * 1000 * UInt64(max(seconds / 2, 1))
    try begin(.volley, [command.rawValue, UInt64(times), UInt64(receivers), cycles])
  }

  /// Waits for its end; how many of them were recorded everywhere.
  public func finishVolley() throws -> Int { Int(clamping: try finish(.volley).first) }
}

extension AgentVCPU {
  /// Lets interrupts in, where one of them is going to hold: not waited for.
  public func beginEnablingInterrupts() throws { try begin(.setInterrupts, [1]) }

  /// Has it halt, with interrupts let in, whether it has come to sleep yet or not when the next interrupt wakes it.
  public func beginHalting() throws { try begin(.halt, [0]) }
}
