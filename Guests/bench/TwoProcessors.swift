import APIC
import GuestContract
import GuestKit
import GuestMachine
import Synchronization

/// The turn that vCPU 1 is asked to wait for an interrupt in, the one for which it does, and the last that has ended.
let asked = Atomic<Int>(0)
let waiting = Atomic<Int>(0)
let ended = Atomic<Int>(0)

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
