/// Interprocessor interrupts: to self, to a running and to a halted vCPU, and broadcast.
import APIC
import GuestKit
import Synchronization

/// How many application processors can take an interrupt: a local APIC that is not enabled yet drops it.
let interruptible = Atomic<Int>(0)
/// How many application processors have gone on to halt.
let idle = Atomic<Int>(0)

let toSelf: Vector = 0x40
let toRunning: Vector = 0x50
let toHalted: Vector = 0x60
let toAll: Vector = 0x70
let toOthers: Vector = 0x80

@c(guest_main) func main() {
  localAPIC.enable()
  interrupts.acknowledge(toSelf)
  interrupts.acknowledge(toRunning)
  interrupts.acknowledge(toHalted)
  interrupts.acknowledge(toAll)
  interrupts.acknowledge(toOthers)
  interrupts.enable()

  mark("self")
  localAPIC.send(.toSelf(toSelf))
  arrives("self IPI", toSelf, 1)

  let others = processors.count - 1
  guard others > 0 else {
    mark("one vCPU only: nobody else to interrupt")
    finish()
  }
  expect("every application processor starts", processors.start(application))
  wait(within: .seconds(10)) { interruptible.load(ordering: .acquiring) == others }

  mark("unicast to running vCPUs")
  for index in 1...others { localAPIC.send(.interrupt(toRunning, to: .physical(processors.apicID(of: index)))) }
  arrives("unicast IPI to each running vCPU", toRunning, others)

  mark("unicast to halted vCPUs")
  wait(within: .seconds(10)) { idle.load(ordering: .acquiring) == others }
  pause(for: .milliseconds(2))
  for index in 1...others { localAPIC.send(.interrupt(toHalted, to: .physical(processors.apicID(of: index)))) }
  arrives("unicast IPI to each halted vCPU", toHalted, others)

  mark("broadcast")
  localAPIC.send(InterruptCommand(vector: toAll, shorthand: .allIncludingSelf))
  arrives("broadcast including self", toAll, others + 1)
  localAPIC.send(InterruptCommand(vector: toOthers, shorthand: .allExcludingSelf))
  arrives("broadcast excluding self", toOthers, others)
  expect("none of it comes back to the sender", recorded(toOthers, on: 0) == 0)
  finish()
}

/// An application processor runs, interruptible, until it was interrupted; then it halts.
func application(_ index: Int) {
  localAPIC.enable()
  interrupts.enable()
  interruptible.wrappingAdd(1, ordering: .releasing)
  wait(within: .seconds(10)) { recorded(toRunning, on: index) == 1 }
  idle.wrappingAdd(1, ordering: .releasing)
}

func arrives(_ label: StaticString, _ vector: Vector, _ count: Int) {
  wait(within: .seconds(10)) { recorded(vector) >= count }
  expect(label, recorded(vector) == count, saw: recorded(vector))
}
