/// Message-signalled interrupts: KVM_SIGNAL_MSI, and an irqfd through a GSI route.
import APIC
import GuestKit

let direct: Vector = 0x42
let routed: Vector = 0x52
let gsi: UInt32 = 24

@c(guest_main) func main() {
  localAPIC.enable()
  interrupts.acknowledge(direct)
  interrupts.acknowledge(routed)
  interrupts.enable()
  let bootstrap = Destination.physical(processors.apicID(of: 0))
  ready()

  mark("KVM_SIGNAL_MSI")
  let answer = host.signal(MSIMessage(vector: direct, destination: bootstrap))
  expect("KVM_SIGNAL_MSI says that it was delivered", answer > 0, saw: answer)
  expect("and it was", wait(within: .seconds(5)) { recorded(direct) == 1 }, saw: recorded(direct))

  mark("irqfd through an MSI route")
  expect("the route is taken", host.route(gsi, to: MSIMessage(vector: routed, destination: bootstrap)) == 0)
  for round in 1...10 {
    host.trigger(irqfd: gsi)
    guard wait(within: .seconds(5), until: { recorded(routed) == round }) else { break }
  }
  expect("ten writes to the eventfd are ten interrupts", recorded(routed) == 10, saw: recorded(routed))
  finish()
}
