/// Does what its host tells it, vCPU by vCPU: the guest of the interrupt suite.
import APIC
import GuestContract
import GuestKit
import GuestMachine
import Synchronization

/// What each vector's handler does: the bits of `AgentHandler` below, its parameter above.
nonisolated(unsafe) var handlers = InlineArray<256, UInt64>(repeating: UInt64(AgentHandler.acknowledges.rawValue))

@c(guest_main) func main() {
  handlers[2] = 0
  handlers[0xff] = 0
  interrupts.fallback = handle
  localAPIC.use(arguments.contains("x2apic") ? .x2APIC : .xAPIC)
  if !arguments.contains("untouched") { localAPIC.enable() }
  if arguments.contains("start") { processors.start(serve) }
  serve(0)
}

func serve(_ index: Int) {
  if index > 0, !arguments.contains("untouched") { localAPIC.enable() }
  // For a host that has no commands for it.
  if arguments.contains("interrupts") { interrupts.enable() }
  guard let mailbox = MailboxReader() else { finish(status: 3) }
  while true { mailbox.serve(perform) }
}

/// Every vector comes here, with interrupts off.
func handle(_ interrupt: Interrupt) {
  if interrupt.vector.rawValue == UInt8(LAPWING_FENCE_VECTOR) {
    // Left out of the log, which is about what a scenario sends.
    processor_count_interrupt(UInt64(LAPWING_FENCE_VECTOR))
    return localAPIC.endOfInterrupt()
  }
  record(interrupt)
  let word = handlers[Int(interrupt.vector.rawValue)]
  let parameter = UInt32(truncatingIfNeeded: word >> 32)
  func does(_ bit: AgentHandler) -> Bool { UInt32(truncatingIfNeeded: word) & bit.rawValue != 0 }

  if does(.notesPriority) { note("processor priority", UInt64(localAPIC[.processorPriority])) }
  if does(.nests) { interrupts.enable() }
  if does(.waits) {
    let awaited = Vector(rawValue: UInt8(truncatingIfNeeded: parameter))
    wait(within: .milliseconds(500)) { recorded(awaited, on: processors.current) > 0 }
  }
  if does(.holds) { wait(within: .seconds(10)) { MailboxReader.isGateOpen } }
  if does(.nests) { interrupts.disable() }
  if does(.lowers) { host.setLine(parameter, to: false) }
  if does(.clearsPVEOI), clearPVEOI(at: parameter) { return note("EOI by memory", 1) }
  if does(.acknowledges) { localAPIC.endOfInterrupt() }
}

/// Clears the word of PV EOI in one step, as KVM may clear it too; says whether it was set.
func clearPVEOI(at address: UInt32) -> Bool {
  guard let word = UnsafePointer<Atomic<UInt32>>(bitPattern: UInt(address)) else { return false }
  return word.pointee.exchange(0, ordering: .acquiringAndReleasing) & 1 != 0
}

/// Carries out one operation (GuestAgent.h).
func perform(_ mailbox: UnsafeMutablePointer<Mailbox>) {
  let (first, second, third, fourth) = mailbox.pointee.arguments
  var results: (UInt64, UInt64) = (0, 0)
  switch mailbox.pointee.operation {
  case .readMSR: results.0 = msr_read_recoverably(UInt32(truncatingIfNeeded: first))
  case .writeMSR: msr_write_recoverably(UInt32(truncatingIfNeeded: first), second)
  case .readMemory: results.0 = readMemory(first, second)
  case .writeMemory: writeMemory(first, UInt32(truncatingIfNeeded: second), third)
  case .readPort: results.0 = readPort(UInt16(truncatingIfNeeded: first), second)
  case .writePort: writePort(UInt16(truncatingIfNeeded: first), second, UInt32(truncatingIfNeeded: third))
  case .readCR8: results.0 = cr8_read()
  case .writeCR8: cr8_write_recoverably(first)
  case .readTSC: results.0 = tsc_read()
  case .cpuid: results = cpuid(UInt32(truncatingIfNeeded: first), UInt32(truncatingIfNeeded: second))
  case .setInterrupts: first != 0 ? interrupts.enable() : interrupts.disable()
  case .halt: halt(masked: first != 0)
  case .spin: results.0 = spin(Vector(rawValue: UInt8(truncatingIfNeeded: first)), second, third)
  case .setHandler: handlers[Int(first & 0xff)] = second & 0xffff_ffff | third << 32
  case .hypercall: results.0 = hypercall(first, second, third, fourth)
  case .shadow:
    withUnsafeMutablePointer(to: &results) {
      $0.withMemoryRebound(to: UInt64.self, capacity: 2) { shadow_measure(first != 0 ? 1 : 0, $0) }
    }
  case .setMode: localAPIC.use(first != 0 ? .x2APIC : .xAPIC)
  case .startProcessors: results.0 = processors.start(serve) ? 1 : 0
  case .volley: results.0 = volley(InterruptCommand(rawValue: first), second, raising: Int(third), within: fourth)
  default: break
  }
  mailbox.pointee.results = results
}

func readMemory(_ address: UInt64, _ width: UInt64) -> UInt64 {
  switch width {
  case 1: UInt64(mmio_read8(address))
  case 2: UInt64(mmio_read16(address))
  default: UInt64(mmio_read32(address))
  }
}

func writeMemory(_ address: UInt64, _ value: UInt32, _ width: UInt64) {
  switch width {
  case 1: mmio_write8(address, UInt8(truncatingIfNeeded: value))
  case 2: mmio_write16(address, UInt16(truncatingIfNeeded: value))
  default: mmio_write32(address, value)
  }
}

func readPort(_ port: UInt16, _ width: UInt64) -> UInt64 {
  switch width {
  case 1: UInt64(port_read8(port))
  case 2: UInt64(port_read16(port))
  default: UInt64(port_read32(port))
  }
}

func writePort(_ port: UInt16, _ width: UInt64, _ value: UInt32) {
  switch width {
  case 1: port_write8(port, UInt8(truncatingIfNeeded: value))
  case 2: port_write16(port, UInt16(truncatingIfNeeded: value))
  default: port_write32(port, value)
  }
}

func cpuid(_ leaf: UInt32, _ subleaf: UInt32) -> (UInt64, UInt64) {
  var registers = InlineArray<4, UInt32>(repeating: 0)
  withUnsafeMutablePointer(to: &registers) {
    $0.withMemoryRebound(to: UInt32.self, capacity: 4) { cpuid_read(leaf, subleaf, $0) }
  }
  return (UInt64(registers[1]) << 32 | UInt64(registers[0]), UInt64(registers[3]) << 32 | UInt64(registers[2]))
}

/// Halts once, and leaves interrupts as they were before.
func halt(masked: Bool) {
  let interruptFlag: UInt64 = 0x200
  let wereEnabled = flags_read() & interruptFlag != 0
  if masked { cpu_disable_and_halt() } else { cpu_enable_and_halt() }
  if wereEnabled { interrupts.enable() } else { interrupts.disable() }
}

func spin(_ vector: Vector, _ count: UInt64, _ cycles: UInt64) -> UInt64 {
  let deadline = tsc_read() &+ cycles
  let current = processors.current
  while recorded(vector, on: current) < Int(count), tsc_read() < deadline {}
  return UInt64(recorded(vector, on: current))
}

/// Sends a command again and again, and waits between two until it has come everywhere.
func volley(_ command: InterruptCommand, _ times: UInt64, raising count: Int, within cycles: UInt64) -> UInt64 {
  let deadline = tsc_read() &+ cycles
  for sent in 0..<times {
    let before = recorded(command.vector)
    localAPIC.send(command)
    while recorded(command.vector) < before &+ count {
      if tsc_read() >= deadline { return sent }
    }
  }
  return times
}

func hypercall(_ number: UInt64, _ first: UInt64, _ second: UInt64, _ third: UInt64) -> UInt64 {
  hypercall_recoverably(
    number >> 32 & 1 != 0 ? 1 : 0, number & 0xffff_ffff, first, second, third & 0xffff_ffff, third >> 32)
}
