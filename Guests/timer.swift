/// The local APIC timer in each of its modes: one-shot, periodic and TSC-deadline.
import APIC
import GuestKit

let oneShot: Vector = 0x41
let periodic: Vector = 0x51
let deadline: Vector = 0x61

@c(guest_main) func main() {
  localAPIC.enable()
  interrupts.acknowledge(oneShot)
  interrupts.acknowledge(periodic)
  interrupts.acknowledge(deadline)
  interrupts.enable()

  mark("one-shot, 1 ms")
  localAPIC.startTimer(oneShot, .oneShot, after: .milliseconds(1))
  expect("a one-shot timer fires", wait(within: .seconds(5)) { recorded(oneShot) == 1 })
  pause(for: .milliseconds(3))
  expect("and only once", recorded(oneShot) == 1, saw: recorded(oneShot))

  mark("periodic, 1 ms")
  localAPIC.startTimer(periodic, .periodic, after: .milliseconds(1))
  expect("a periodic timer goes on firing", wait(within: .seconds(5)) { recorded(periodic) >= 5 })
  localAPIC.stopTimer()
  pause(for: .milliseconds(3))
  let stopped = recorded(periodic)
  pause(for: .milliseconds(5))
  expect("until it is stopped", recorded(periodic) == stopped, saw: recorded(periodic) - stopped)

  mark("TSC-deadline, 1 ms")
  localAPIC.startTimer(deadline, .tscDeadline, after: .milliseconds(1))
  expect("a TSC deadline fires", wait(within: .seconds(5)) { recorded(deadline) == 1 })
  finish()
}
