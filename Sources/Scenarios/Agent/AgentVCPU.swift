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
