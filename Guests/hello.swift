/// Prints a line, counts one interrupt that it sends to itself, and ends.
import APIC
import GuestKit

@c(guest_main) func main() {
  say("Hello from ring 0.\n")
  localAPIC.enable()
  interrupts.acknowledge(0x30)
  interrupts.enable()
  localAPIC.send(.toSelf(0x30))
  expect("an interrupt to myself arrives", wait(within: .seconds(5)) { recorded(0x30) == 1 })
  finish()
}
