import APIC
import ReferenceModel

extension Fault {
  /// Faults of ISR, PPR and TPR.
  static let service: [Fault] = [
    Fault("lost-eoi", "an EOI does not end the interrupt in service") { step, before, machine, _ in
      guard step.kind.name == "register.eoi" else { return }
      machine.forEachAPIC { vcpu, apic in apic.page.inService = before.localAPICs[vcpu].page.inService }
    },
    Fault("eoi-lowest", "an EOI ends the lowest interrupt in service, not the highest") { step, before, machine, _ in
      guard step.kind.name == "register.eoi" else { return }
      machine.forEachAPIC { vcpu, apic in
        var vectors = before.localAPICs[vcpu].page.inService
        guard vectors != apic.page.inService, let lowest = vectors.lowest else { return }
        vectors.remove(lowest)
        apic.page.inService = vectors
      }
    },
    Fault("eoi-keeps-ppr", "an EOI leaves the PPR as it was") { step, before, machine, _ in
      guard step.kind.name == "register.eoi" else { return }
      machine.forEachAPIC { vcpu, apic in apic.page.processorPriority = before.localAPICs[vcpu].page.processorPriority }
    },
    Fault("eoi-all-in-class", "an EOI ends every interrupt of its class") { step, before, machine, _ in
      guard step.kind.name == "register.eoi" else { return }
      machine.forEachAPIC { vcpu, apic in
        let old = before.localAPICs[vcpu].page.inService
        guard let ended = old.highest, old != apic.page.inService else { return }
        apic.page.inService = VectorSet(apic.page.inService.filter { $0.priorityClass != ended.priorityClass })
      }
    },
    Fault("ppr-off-by-a-class", "with an interrupt in service the PPR is a class too high") { _, _, machine, _ in
      machine.forEachAPIC { _, apic in
        guard let highest = apic.page.inService.highest else { return }
        apic.page.processorPriority = Priority(class: min(15, highest.priorityClass + 1))
      }
    },
    Fault("ppr-ignores-tpr", "the PPR does not follow the TPR") { _, _, machine, _ in
      machine.forEachAPIC { _, apic in
        apic.page.processorPriority = Priority.processorPriority(
          taskPriority: 0, highestInService: apic.page.inService.highest)
      }
    },
    Fault("ppr-drops-subclass", "the PPR has no subclass") { _, _, machine, _ in
      machine.forEachAPIC { _, apic in apic.page.processorPriority.subclass = 0 }
    },
    Fault("tpr-loses-class", "a write to the TPR keeps the subclass alone") { step, _, machine, _ in
      guard step.kind.name == "register.tpr" else { return }
      machine.forEachAPIC { _, apic in apic.page.taskPriority.class = 0 }
    },
  ]
}

extension ReferenceMachine {
  /// Tampers with every local APIC.
  mutating func forEachAPIC(_ body: (Int, inout ReferenceLocalAPIC) -> Void) {
    for vcpu in localAPICs.indices { body(vcpu, &localAPICs[vcpu]) }
  }
}
