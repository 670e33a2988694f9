/// Times exits, interrupts, timers and snapshots with its TSC: the guest of `lapwing bench`.
import APIC
import GuestContract
import GuestKit
import GuestMachine

/// The vector of every interrupt that is timed; its handler writes down when it began, and nothing else.
let vector = Vector(rawValue: UInt8(LAPWING_BENCH_VECTOR))
/// How long a vCPU that is to be found halted is left alone: longer than KVM polls for it to wake (`halt_poll_ns`).
let settling = Interval.microseconds(500)

nonisolated(unsafe) var isHalting = false
nonisolated(unsafe) var isX2APIC = false

@c(guest_main) func main() {
  guard let number = arguments.number("operation="), let operation = BenchOperation(rawValue: number),
    let count = arguments.number("samples=")
  else {
    say("bench is the guest of 'lapwing bench'; by itself it takes --append 'operation=NUMBER samples=COUNT'.\n")
    finish(status: 64)
  }
  samples = Int(min(count, 1 << 20))
  isHalting = arguments.contains("halted")
  localAPIC.enable()
  isX2APIC = localAPIC.mode == .x2APIC
  stamp_install(vector.rawValue)
  interrupts.enable()
  measure(operation)
  finish()
}

func measure(_ operation: BenchOperation) {
  let commandPort = UInt16(LAPWING_COMMAND_PORT)
  let address = UInt64(LAPWING_BENCH_ADDRESS)
  let miscEnable: UInt32 = 0x1a0
  switch operation {
  case .nothing: time {}
  case .readPort: time { _ = port_read32(commandPort) }
  case .writePort: time { port_write32(commandPort, Command.mark.rawValue) }
  case .readMemory: time { _ = mmio_read32(address) }
  case .writeMemory: time { mmio_write32(address, 0) }
  case .readMSR: time { _ = msr_read(miscEnable) }
  case .writeMSR:
    let value = msr_read(miscEnable)
    time { msr_write(miscEnable, value) }
  case .cpuid:
    var registers = InlineArray<4, UInt32>(repeating: 0)
    withUnsafeMutablePointer(to: &registers) {
      $0.withMemoryRebound(to: UInt32.self, capacity: 4) { registers in time { cpuid_read(0, 0, registers) } }
    }
  case .halt: timeHalt()
  case .endOfInterrupt: timeEOI()
  case .taskPriority: timeRegister(.taskPriority, 0x10)
  case .writeCR8: time { cr8_write(1) }
  case .selfIPI: timeSelfIPI()
  case .ipi: timeIPI()
  case .signalMSI:
    let message = MSIMessage(vector: vector, destination: other)
    timeRequests { _ = host.signal(message) }
  case .irqfd:
    routeToOther()
    timeRequests { _ = host.trigger(irqfd: UInt32(LAPWING_BENCH_GSI)) }
  case .writeEvent:
    assignEvent(irqfd: nil)
    time { port_write32(UInt16(LAPWING_BENCH_EVENT_PORT), 0) }
  case .eventIRQFD:
    routeToOther()
    assignEvent(irqfd: UInt32(LAPWING_BENCH_GSI))
    startOther()
    timeInterrupts { port_write32(UInt16(LAPWING_BENCH_EVENT_PORT), 0) }
  case .oneShot: timeCount()
  case .periodic: timePeriods()
  case .deadline: timeDeadline()
  case .snapshot: timeSnapshots()
  default: finish(status: 64)
  }
}
