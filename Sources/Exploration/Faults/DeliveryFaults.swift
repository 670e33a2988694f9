import APIC
import ReferenceModel

extension Fault {
  /// Faults of destinations, and of what is answered.
  static let delivery: [Fault] = [
    Fault("broadcast-misses-last", "a broadcast does not reach the last of several vCPUs") { step, before, machine, _ in
      guard step.kind.name == "ipi.send", machine.localAPICs.count > 1, step.arguments[5] & 2 != 0 else { return }
      machine.localAPICs[machine.localAPICs.count - 1] = before.localAPICs[machine.localAPICs.count - 1]
    },
    Fault("all-but-self-reaches-self", "an IPI to all excluding self reaches the sender too") {
      step, before, machine, _ in
      guard step.kind.name == "ipi.send", step.arguments[5] & 3 == 3, step.arguments[4] & 7 == 0 else { return }
      let sender = Int(step.arguments[0]) % machine.localAPICs.count
      guard before.localAPICs[sender].mode == .x2APIC, before.localAPICs[sender].isSoftwareEnabled else { return }
      machine.localAPICs[sender].page.interruptRequest.insert(Vector(rawValue: UInt8(step.arguments[1] & 0xff)))
    },
    Fault("lowest-priority-all", "a message of lowest priority counts everybody") { step, before, _, answer in
      guard step.kind.name == "msi.send", step.arguments[3] == 1, step.arguments[2] == 1 else { return }
      answer.change(.delivered(1), to: .delivered(UInt32(before.localAPICs.count + 1)))
    },
    Fault("answer-counts-twice", "a message to several counts one too many") { step, _, _, answer in
      guard step.kind.name == "msi.send", case .delivery(.delivered(let count)) = answer, count > 1 else { return }
      answer = .delivery(.delivered(count + 1))
    },
    Fault("coalesced-edge-counted", "an edge on a line that is high counts as delivered") { step, _, _, answer in
      if step.kind.name == "line.set" { answer.change(.coalesced, to: .delivered(1)) }
    },
    Fault("masked-counted", "a line whose pins are masked counts as delivered") { step, _, _, answer in
      if step.kind.name == "line.set", step.arguments[1] == 1 { answer.change(.ignored, to: .delivered(1)) }
    },
    Fault("icr-busy", "the delivery status of the ICR stays set") { step, _, machine, _ in
      guard step.kind.name == "ipi.send", step.arguments[6] & 0x1000 != 0 else { return }
      let sender = Int(step.arguments[0]) % machine.localAPICs.count
      if machine.localAPICs[sender].mode == .x2APIC { machine.localAPICs[sender].page[.interruptCommand] |= 0x1000 }
    },
    Fault("icr-reserved", "reserved bits of the ICR are taken") { step, _, _, answer in
      if step.kind.name == "ipi.send", step.arguments[6] == 0x2000, answer == .refused { answer = .done }
    },
    Fault("old-routes", "new routes leave the GSI 24 where it was") { step, before, machine, _ in
      guard step.kind.family == .routes else { return }
      var table = machine.routes
      table = before.routes[24].isEmpty ? table : before.routes
      machine.routes = table
    },
  ]
}

extension Fault {
  /// Faults of IOAPIC and PIC.
  static let pins: [Fault] = [
    Fault("remote-irr-lost", "a level-triggered pin does not get remote IRR") { step, _, machine, _ in
      guard step.kind.family == .line else { return }
      for pin in 0..<24 { machine.ioapic[pin].remoteIRR = false }
    },
    Fault("remote-irr-kept", "a pin that becomes edge-triggered keeps remote IRR") { step, before, machine, _ in
      guard step.kind.name == "ioapic.entry" else { return }
      let pin = Int(step.arguments[0] % 24)
      if before.ioapic[pin].remoteIRR { machine.ioapic[pin].remoteIRR = true }
    },
    Fault("pending-edge-lost", "an edge that is pending is lost when the IOAPIC is set") { step, before, machine, _ in
      guard step.kind.family == .ioapic else { return }
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
      guard step.kind.family == .line, step.arguments[1] == 0 else { return }
      machine.pic.master.irr |= before.pic.master.irr & machine.pic.master.edgeLevel
    },
  ]
}
