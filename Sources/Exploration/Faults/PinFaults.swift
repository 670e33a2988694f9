import APIC
import ReferenceModel

extension Fault {
  /// Faults of IOAPIC and PIC.
  static let pins: [Fault] = [
    Fault("remote-irr-lost", "a level-triggered pin does not get remote IRR") { step, _, machine, _ in
      guard step.kind.family == "line" else { return }
      for pin in 0..<24 { machine.ioapic[pin].remoteIRR = false }
    },
    Fault("remote-irr-kept", "a pin that becomes edge-triggered keeps remote IRR") { step, before, machine, _ in
      guard step.kind.name == "ioapic.entry" else { return }
      let pin = Int(step.arguments[0] % 24)
      if before.ioapic[pin].remoteIRR { machine.ioapic[pin].remoteIRR = true }
    },
    Fault("pending-edge-lost", "an edge that is pending is lost when the IOAPIC is set") { step, before, machine, _ in
      guard step.kind.family == "ioapic" else { return }
      machine.ioapic.requests &= ~(before.ioapicRequests & ~before.ioapic.sentEdges & 0x2)
    },
    Fault("falling-line-kept", "a line that falls stays requested") { step, before, machine, _ in
      if step.kind.name == "line.set", step.arguments[1] == 0 { machine.ioapic.requests = before.ioapic.requests }
    },
    Fault("masked-edge-merged", "an edge on a masked line answers that it was merged with another") {
      step, before, machine, answer in
      guard step.kind.name == "line.set", step.arguments[1] == 1, answer == .delivery(.ignored) else { return }
      answer = .delivery(.coalesced)
    },
    Fault("pic-edge-twice", "an edge of the PIC that is pending counts again") { step, _, machine, answer in
      guard step.kind.name == "line.set", step.arguments[0] < 16 else { return }
      answer.change(.coalesced, to: .delivered(2))
    },
    Fault("pic-slave-unheard", "the slave's interrupts do not reach the master") { _, _, machine, _ in
      machine.pic.master.irr &= ~4
    },
    Fault("pic-level-kept", "a level-triggered line of the PIC that falls stays requested") {
      step, before, machine, _ in
      guard step.kind.family == "line", step.arguments[1] == 0 else { return }
      machine.pic.master.irr |= before.pic.master.irr & machine.pic.master.edgeLevel
    },
  ]
}
