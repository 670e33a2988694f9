import APIC

/// What raises interrupts on a thread at the moment, until something else happens there.
///
/// KVM accepts an interrupt on the thread that raises it, right after the event that tells what it came from.
struct RaisingEvent {
  private var origin = Acceptance.Origin.unseen
  /// The vector that it raises; nil for whichever a line leads to.
  private var vector: Vector?

  /// Takes note of the thread's next event.
  mutating func note(_ detail: TraceEvent.Detail) {
    switch detail {
    case .ipi(let vector): (origin, self.vector) = (.ipi, vector)
    case .message(let vector): (origin, self.vector) = (.message, vector)
    case .line(let gsi, isHigh: true): (origin, vector) = (.line(gsi: gsi), nil)
    case .acknowledged(let pin): (origin, vector) = (.heldLine(pin: pin), nil)
    case .line(_, isHigh: false), .ioapic, .injected(_, isReinjected: false), .endOfInterrupt(_, _?), .wokenUp:
      (origin, vector) = (.unseen, nil)
    case .accepted, .acceptedByHardware, .injected, .endOfInterrupt, .inhibit, .entered, .exited, .accessed: break
    }
  }

  /// What an interrupt of a vector came from that is accepted there now.
  func origin(of vector: Vector) -> Acceptance.Origin {
    self.vector == nil || self.vector == vector ? origin : .unseen
  }
}
