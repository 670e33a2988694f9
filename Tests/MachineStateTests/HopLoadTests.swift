import APIC
import BuiltInGuests
import GuestContract
import KVM
import MachineState
import Testing
import VMM

/// A guest that does what it is told, on one machine after another.
private final class Traveller {
  private(set) var machine: Machine
  private(set) var running: RunningMachine?
  private let system: System

  init(_ configuration: MachineConfiguration) throws {
    system = try #require(Host.system)
    let agent = try #require(BuiltInGuest.named("agent"))
    machine = try Machine(configuration, image: agent.image, on: system, console: Console())
    running = try machine.start()
  }

  deinit { if let running = running.take() { _ = running.finish() } }

  func until(_ what: String, _ condition: () throws -> Bool) throws {
    let deadline = ContinuousClock.now + .seconds(60)
    while try !condition() {
      try #require(machine.stop.reason == nil, "the machine ended: \(String(describing: machine.stop.reason))")
      try #require(ContinuousClock.now < deadline, "it did not come about: \(what)")
      machine.stop.wait(atMost: .microseconds(100))
    }
  }

  @discardableResult
  func perform(_ operation: AgentOperation, _ arguments: [UInt64], on vcpu: Int) throws -> AgentMailbox.Answer {
    let mailbox = machine.mailbox(of: vcpu)
    try mailbox.post(operation, arguments)
    try until("vCPU \(vcpu) is done") { try mailbox.isDone }
    return try mailbox.answer()
  }

  /// Goes on with another machine.
  func hop() throws -> MachineState {
    try machine.pause()
    let state = try machine.capture()
    if let running = running.take() { _ = running.finish() }
    machine = try Machine(restoring: state, memory: machine.memory, on: system, console: Console())
    running = try machine.start()
    return state
  }
}

@Suite("A chain of hops under interrupt load", Host.canRun) struct HopLoadTests {
  private static let timer: Vector = 0x61
  private static let deadline: Vector = 0x62
  private static let event: Vector = 0x63
  private static let message: Vector = 0x64
  private static let line: Vector = 0x65
  private static let eventGSI: UInt32 = 30
  private static let linePin: UInt32 = 20

  @Test(arguments: MachineConfiguration.IRQChip.allCases)
  func `no interrupt and no timer is lost or comes twice over 100 hops`(_ irqChip: MachineConfiguration.IRQChip) throws
  {
    var configuration = MachineConfiguration()
    configuration.vcpus = 2
    configuration.memory = 16 << 20
    configuration.irqChip = irqChip
    configuration.arguments = "x2apic start"
    let traveller = try Traveller(configuration)
    for vcpu in 0...1 {
      try traveller.until("the agent starts") { try traveller.machine.mailbox(of: vcpu).starts > 0 }
      try traveller.perform(.setInterrupts, [1], on: vcpu)
    }
    // A one-shot timer on vCPU 0, a TSC deadline on vCPU 1; an edge of a line and an event to vCPU 0, a message to vCPU 1.
    let oneShot = LVTEntry.timer(Self.timer, mode: .oneShot)
    let deadline = LVTEntry.timer(Self.deadline, mode: .tscDeadline)
    try traveller.perform(.writeMSR, [0x832, UInt64(oneShot.rawValue)], on: 0)
    try traveller.perform(.writeMSR, [0x83e, UInt64(TimerDivide.by1.registerValue)], on: 0)
    try traveller.perform(.writeMSR, [0x832, UInt64(deadline.rawValue)], on: 1)
    try traveller.machine.interrupts.route(
      Self.eventGSI, to: MSIMessage(vector: Self.event, destination: .physical(0)))
    let entry = RedirectionEntry(vector: Self.line, destination: .physical(0))
    for (register, value) in [(0x10 + 2 * Self.linePin + 1, entry.high), (0x10 + 2 * Self.linePin, entry.low)] {
      try traveller.perform(.writeMemory, [IOAPIC.defaultAddress, UInt64(register)], on: 0)
      try traveller.perform(.writeMemory, [IOAPIC.defaultAddress + 0x10, UInt64(value)], on: 0)
    }
    let expected: [(Vector, vcpu: Int)] = [
      (Self.timer, 0), (Self.deadline, 1), (Self.event, 0), (Self.message, 1), (Self.line, 0),
    ]
    for hop in 1...100 {
      // Up to two milliseconds: some are over before the hop, some are due during it, some after it.
      let nanoseconds = UInt64.random(in: 1000...2_000_000)
      let tsc = try traveller.perform(.readTSC, [], on: 1).first
      let cycles = nanoseconds * UInt64(traveller.machine.clock.kHz) / 1_000_000
      try traveller.perform(.writeMSR, [0x6e0, tsc + cycles], on: 1)
      try traveller.perform(.writeMSR, [0x838, nanoseconds], on: 0)
      try traveller.machine.interrupts.trigger(irqfd: Self.eventGSI)
      try traveller.machine.interrupts.signal(MSIMessage(vector: Self.message, destination: .physical(1)))
      try traveller.machine.interrupts.setLine(Self.linePin, to: true)
      try traveller.machine.interrupts.setLine(Self.linePin, to: false)
      let state = try traveller.hop()
      #expect(state.irqfds.count == 1 && state.irqfds[0].isOwnedByVMM)
      for (vector, vcpu) in expected {
        try traveller.until("\(vector) comes for the \(hop)th time") {
          traveller.machine.recorded(vector, on: vcpu) >= hop
        }
      }
      for (vector, vcpu) in expected {
        #expect(traveller.machine.recorded(vector, on: vcpu) == hop, "\(vector), hop \(hop)")
      }
    }
    traveller.machine.stop.wait(atMost: .milliseconds(20))
    for (vector, vcpu) in expected { #expect(traveller.machine.recorded(vector, on: vcpu) == 100, "\(vector)") }
  }
}
