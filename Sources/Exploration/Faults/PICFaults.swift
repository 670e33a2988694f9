import APIC
import ReferenceModel

extension Fault {
  /// Faults of the PICs' commands.
  static let commands: [Fault] = [
    Fault("icw1-keeps-mask", "ICW1 leaves the mask of a PIC") { step, before, machine, _ in
      guard step.kind.family == .port else { return }
      machine.forEachPIC(before) { chip, old in
        if old.initialization != 1, chip.initialization == 1 { chip.imr = old.imr }
      }
    },
    Fault("icw2-unaligned", "ICW2 takes the lower three bits of a PIC's vectors") { step, before, machine, _ in
      guard step.kind.name == "port.initialize" else { return }
      machine.forEachPIC(before) { chip, old in
        if chip.vectorBase == UInt8(step.arguments[3] & 0xf8) { chip.vectorBase = UInt8(step.arguments[3] & 0xff) }
      }
    },
    Fault("icw4-ignored", "automatic EOI is not switched on by ICW4") { step, before, machine, _ in
      guard step.kind.family == .port else { return }
      machine.forEachPIC(before) { chip, old in if !old.automaticEOI { chip.automaticEOI = false } }
    },
    Fault("poll-keeps-request", "a poll leaves the request that it has told") { step, before, machine, _ in
      guard step.kind.family == .port else { return }
      machine.forEachPIC(before) { chip, old in
        if old.polls, !chip.polls { chip.irr |= old.irr }
      }
    },
    Fault("poll-twice", "a PIC that was polled is polled by the next read too") { step, before, machine, _ in
      guard step.kind.name == "port.read" else { return }
      machine.forEachPIC(before) { chip, old in chip.polls = old.polls }
    },
  ]
}

extension ReferenceMachine {
  /// Tampers with both PICs.
  fileprivate mutating func forEachPIC(
    _ before: ReferenceMachine, _ body: (inout ReferencePIC.Chip, _ old: ReferencePIC.Chip) -> Void
  ) {
    body(&pic.master, before.pic.master)
    body(&pic.slave, before.pic.slave)
  }
}
