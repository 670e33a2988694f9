/// Times exits, interrupts and timers with its TSC: the guest of `lapwing bench`.
import APIC
import GuestContract
import GuestKit
import GuestMachine
import Synchronization

/// The vector of every interrupt that is timed; its handler writes down when it began, and nothing else.
let vector = Vector(rawValue: UInt8(LAPWING_BENCH_VECTOR))
let warmUps = Int(LAPWING_BENCH_WARM_UPS)
/// How long a vCPU that is to be found halted is left alone: longer than KVM polls for it to wake (`halt_poll_ns`).
let settling = Interval.microseconds(500)
let period = Interval.microseconds(1000)
/// A periodic timer is set anew after so many periods, before the TSC and the host's clock have drifted apart.
let periods = 16
/// How long the host may take for its part of a turn.
let patience = Interval.seconds(20)

nonisolated(unsafe) var isHalting = false
nonisolated(unsafe) var isX2APIC = false
nonisolated(unsafe) var samples = 0
nonisolated(unsafe) var taken = 0

/// The turn that vCPU 1 is asked to wait for an interrupt in, the one for which it does, and the last that has ended.
let asked = Atomic<Int>(0)
let waiting = Atomic<Int>(0)
let ended = Atomic<Int>(0)

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

// MARK: On one vCPU

/// Keeps a sample, in TSC cycles. An interrupt that is early, as the TSC counts, is not late at all.
func keep(from start: UInt64, to end: UInt64) {
  taken &+= 1
  if taken > warmUps { note("cycles", end >= start ? end &- start : 0) }
}

var isDone: Bool { taken >= samples &+ warmUps }

@inline(__always) func time(_ body: () -> Void) {
  while !isDone {
    let start = tsc_read_in_order()
    body()
    keep(from: start, to: tsc_read_in_order())
  }
}

@inline(__always) func writeRegister(_ register: LocalAPICRegister, _ value: UInt64) {
  if isX2APIC {
    msr_write(register.msr, value)
  } else {
    mmio_write32(APICBase.defaultAddress &+ UInt64(register.rawValue), UInt32(truncatingIfNeeded: value))
  }
}

func timeRegister(_ register: LocalAPICRegister, _ value: UInt64) {
  let msr = register.msr
  let address = APICBase.defaultAddress &+ UInt64(register.rawValue)
  if isX2APIC {
    time { msr_write(msr, value) }
  } else {
    time { mmio_write32(address, UInt32(truncatingIfNeeded: value)) }
  }
}

/// The handler leaves its interrupt in service, so that what ends it can be timed from outside.
func timeEOI() {
  let msr = LocalAPICRegister.endOfInterrupt.msr
  let address = APICBase.defaultAddress &+ UInt64(LocalAPICRegister.endOfInterrupt.rawValue)
  while !isDone {
    stamp_clear()
    localAPIC.send(.toSelf(vector))
    _ = awaitStamp()
    let start = tsc_read_in_order()
    if isX2APIC { msr_write(msr, 0) } else { mmio_write32(address, 0) }
    keep(from: start, to: tsc_read_in_order())
  }
}

func timeHalt() {
  while !isDone {
    interrupts.disable()
    stamp_clear()
    localAPIC.send(.toSelf(vector))
    let start = tsc_read_in_order()
    cpu_enable_and_halt()
    keep(from: start, to: awaitStamp())
    localAPIC.endOfInterrupt()
  }
}

func timeSelfIPI() {
  let command = InterruptCommand.toSelf(vector)
  let low = UInt64(command.xAPICLow)
  while !isDone {
    stamp_clear()
    let start = tsc_read_in_order()
    writeRegister(.interruptCommand, low)
    keep(from: start, to: awaitStamp())
    localAPIC.endOfInterrupt()
  }
}

/// When the handler began. An interrupt that is lost ends the guest, and the measurement with it.
func awaitStamp() -> UInt64 {
  guard wait(within: .seconds(2), until: { stamp_read() != 0 }) else {
    expect("the interrupt that is timed arrives", false)
    finish(status: 1)
  }
  return stamp_read()
}

// MARK: Between two vCPUs

var other: Destination { .physical(processors.apicID(of: 1)) }

func routeToOther() {
  guard host.route(UInt32(LAPWING_BENCH_GSI), to: MSIMessage(vector: vector, destination: other)) == 0 else {
    expect("the host routes a GSI", false)
    finish(status: 1)
  }
}

func assignEvent(irqfd: UInt32?) {
  guard host.assignIOEvent(port: UInt16(LAPWING_BENCH_EVENT_PORT), irqfd: irqfd) == 0 else {
    expect("the host assigns an ioeventfd", false)
    finish(status: 1)
  }
}

func timeIPI() {
  startOther()
  let command = InterruptCommand(vector: vector, destination: other)
  if isX2APIC {
    let msr = LocalAPICRegister.interruptCommand.msr
    timeInterrupts { msr_write(msr, command.rawValue) }
  } else {
    let low = APICBase.defaultAddress &+ UInt64(LocalAPICRegister.interruptCommand.rawValue)
    let high = APICBase.defaultAddress &+ UInt64(LocalAPICRegister.interruptCommandHigh.rawValue)
    timeInterrupts {
      mmio_write32(high, command.xAPICHigh)
      mmio_write32(low, command.xAPICLow)
    }
  }
}

/// Times what `asking` asks the host for; it leaves its request filled in, so that one OUT asks for the same again.
@inline(__always) func timeRequests(asking: () -> Void) {
  startOther()
  // One interrupt a turn: another would be taken for the next turn's.
  prepareTurn()
  asking()
  endTurn(from: 0)
  timeInterrupts { port_write32(UInt16(LAPWING_COMMAND_PORT), Command.request.rawValue) }
}

func startOther() {
  guard processors.count > 1, processors.start(serve) else {
    expect("a second vCPU starts", false)
    finish(status: 1)
  }
}

/// Times an interrupt on vCPU 1, which has been started, from before `body` to its handler.
@inline(__always) func timeInterrupts(_ body: () -> Void) {
  while !isDone {
    prepareTurn()
    let start = tsc_read_in_order()
    body()
    endTurn(from: start)
  }
}

func prepareTurn() {
  stamp_clear()
  let turn = asked.load(ordering: .relaxed) &+ 1
  asked.store(turn, ordering: .releasing)
  wait(within: .seconds(2)) { waiting.load(ordering: .acquiring) == turn }
  if isHalting { pause(for: settling) }
}

func endTurn(from start: UInt64) {
  let end = awaitStamp()
  let turn = asked.load(ordering: .relaxed)
  wait(within: .seconds(2)) { ended.load(ordering: .acquiring) == turn }
  if start != 0 { keep(from: start, to: end) }
}

/// What vCPU 1 does: waits for an interrupt, running or halted, as often as it is asked to.
func serve(_ index: Int) {
  guard index == 1 else { return }
  localAPIC.enable()
  var turn = 0
  while true {
    while asked.load(ordering: .acquiring) == turn { cpu_pause() }
    turn &+= 1
    interrupts.disable()
    waiting.store(turn, ordering: .releasing)
    waitForStamp()
    localAPIC.endOfInterrupt()
    ended.store(turn, ordering: .releasing)
  }
}

/// Waits until the handler has run, from a state with interrupts off.
func waitForStamp() {
  if isHalting {
    while stamp_read() == 0 {
      cpu_enable_and_halt()
      interrupts.disable()
    }
  }
  interrupts.enable()
  while stamp_read() == 0 {
    // Far enough apart that no processor takes them for a lock's loop and exits (PLE_Gap; SDM volume 3C, section 26.1.3).
    cpu_pause()
    let next = tsc_read() &+ 1000
    while stamp_read() == 0, tsc_read() < next {}
  }
}

// MARK: Timers

func timeCount() {
  localAPIC[.lvtTimer] = LVTEntry.timer(vector, mode: .oneShot).rawValue
  localAPIC[.divide] = TimerDivide.by1.registerValue
  while !isDone {
    interrupts.disable()
    stamp_clear()
    let start = tsc_read_in_order()
    writeRegister(.initialCount, UInt64(period.apicCycles))
    waitForStamp()
    keep(from: start &+ period.ticks, to: stamp_read())
    localAPIC.endOfInterrupt()
  }
}

func timeDeadline() {
  localAPIC[.lvtTimer] = LVTEntry.timer(vector, mode: .tscDeadline).rawValue
  while !isDone {
    interrupts.disable()
    stamp_clear()
    let deadline = tsc_read() &+ period.ticks
    msr_write(MSR.tscDeadline, deadline)
    waitForStamp()
    keep(from: deadline, to: stamp_read())
    localAPIC.endOfInterrupt()
  }
}

/// The interrupts of periods that have passed while one waited are one interrupt: the next that is due is that of the
/// first period after it.
func timePeriods() {
  localAPIC[.divide] = TimerDivide.by1.registerValue
  while !isDone {
    localAPIC[.lvtTimer] = LVTEntry.timer(vector, mode: .periodic).rawValue
    interrupts.disable()
    stamp_clear()
    var due = tsc_read_in_order()
    writeRegister(.initialCount, UInt64(period.apicCycles))
    for _ in 0..<periods where !isDone {
      due &+= period.ticks
      waitForStamp()
      let time = stamp_read()
      defer { while due &+ period.ticks <= time { due &+= period.ticks } }
      interrupts.disable()
      stamp_clear()
      localAPIC.endOfInterrupt()
      keep(from: due, to: time)
    }
    localAPIC.stopTimer()
    // One more may have been on its way.
    interrupts.enable()
    pause(for: settling)
    if stamp_read() != 0 { localAPIC.endOfInterrupt() }
  }
}

// MARK: What the host does meanwhile

func timeSnapshots() {
  var turn: UInt32 = 0
  while !isDone {
    stamp_clear()
    turn &+= 1
    // Before the mark: the host may do its part before the guest goes on after it.
    let start = tsc_read_in_order()
    reached(turn)
    keep(from: 0, to: longestGap(since: start))
    localAPIC.endOfInterrupt()
  }
}

/// The longest time from one reading of the TSC to the next, the last of which is the handler's: the interrupt may be the
/// first thing that happens after a pause.
func longestGap(since start: UInt64) -> UInt64 {
  var last = start
  let deadline = last &+ patience.ticks
  var longest: UInt64 = 0
  while last < deadline {
    let now = tsc_read_in_order()
    let stamp = stamp_read()
    // The handler has run before this reading, and took time of its own.
    if stamp != 0, stamp < now { return max(longest, stamp &- last) }
    longest = max(longest, now &- last)
    if stamp != 0 { return max(longest, stamp &- now) }
    last = now
  }
  expect("the host interrupts a turn", false)
  finish(status: 1)
}
