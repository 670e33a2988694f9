/// Lines into the IOAPIC: edge and level, with remote IRR and EOI.
import APIC
import GuestKit

let edge: Vector = 0x43
let level: Vector = 0x53
let edgePin = 20
let levelPin = 21

@c(guest_main) func main() {
  localAPIC.enable()
  interrupts.acknowledge(edge)
  // A level line stays up until its device is served: lowered before the EOI, or the interrupt comes again.
  interrupts.handle(level) { interrupt in
    record(interrupt)
    if recorded(level) == 2 { host.setLine(UInt32(levelPin), to: false) }
    localAPIC.endOfInterrupt()
  }
  let bootstrap = Destination.physical(processors.apicID(of: 0))
  ioapic[pin: edgePin] = RedirectionEntry(vector: edge, destination: bootstrap)
  ioapic[pin: levelPin] = RedirectionEntry(vector: level, destination: bootstrap, triggerMode: .level)
  interrupts.enable()
  ready()

  mark("edge")
  host.setLine(UInt32(edgePin), to: true)
  expect("a rising edge interrupts", wait(within: .seconds(5)) { recorded(edge) == 1 })
  host.setLine(UInt32(edgePin), to: false)
  host.setLine(UInt32(edgePin), to: true)
  expect("and so does the next", wait(within: .seconds(5)) { recorded(edge) == 2 })
  host.setLine(UInt32(edgePin), to: false)

  mark("level")
  host.setLine(UInt32(levelPin), to: true)
  expect("a level line interrupts again while it is up", wait(within: .seconds(5)) { recorded(level) >= 2 })
  // A back end that ends an interrupt's service when it delivers it has one more on its way when the line falls.
  pause(for: .milliseconds(5))
  let taken = recorded(level)
  pause(for: .milliseconds(5))
  expect("and no more once it is down", recorded(level) == taken, saw: recorded(level) - taken)
  expect("the EOI has cleared remote IRR", !ioapic[pin: levelPin].remoteIRR)
  finish()
}
