import APIC
import ReferenceModel

extension Fault {
  /// Faults of IRR and TMR, and of NMI, INIT and SIPI.
  static let acceptance: [Fault] = [
    Fault("tmr-not-set", "a level-triggered interrupt does not get into the TMR") { step, before, machine, _ in
      guard step.kind.delivers else { return }
      machine.forEachAPIC { vcpu, apic in
        apic.page.triggerModes = apic.page.triggerModes.intersection(before.localAPICs[vcpu].page.triggerModes)
      }
    },
    Fault("tmr-not-cleared", "an edge does not take its vector out of the TMR") { step, before, machine, _ in
      guard step.kind.delivers else { return }
      machine.forEachAPIC { vcpu, apic in
        apic.page.triggerModes = apic.page.triggerModes.union(before.localAPICs[vcpu].page.triggerModes)
      }
    },
    Fault("lost-msi", "a message to a vector that is in service is lost") { step, before, machine, _ in
      guard step.kind.family == .msi else { return }
      machine.forEachAPIC { vcpu, apic in
        let serving = before.localAPICs[vcpu].page.inService
        let new = apic.page.interruptRequest.subtracting(before.localAPICs[vcpu].page.interruptRequest)
        apic.page.interruptRequest = apic.page.interruptRequest.subtracting(new.intersection(serving))
      }
    },
    Fault("irr-word", "the lowest vector of a word of the IRR is not seen") { step, before, machine, _ in
      guard step.kind.delivers else { return }
      machine.forEachAPIC { vcpu, apic in
        for vector in apic.page.interruptRequest where vector.rawValue % 32 == 0 {
          if !before.localAPICs[vcpu].page.interruptRequest.contains(vector) {
            apic.page.interruptRequest.remove(vector)
          }
        }
      }
    },
    Fault("disabled-apic-accepts", "a message counts although software has disabled the local APIC") {
      step, before, _, answer in
      guard step.kind.name == "msi.send", before.localAPICs.contains(where: { !$0.isSoftwareEnabled }) else { return }
      answer.change(.coalesced, to: .delivered(1))
    },
    Fault("lost-self-ipi", "a write to the SELF IPI register sends nothing") { step, before, machine, _ in
      if step.kind.name == "ipi.self" { machine.localAPICs = before.localAPICs }
    },
    Fault("third-nmi", "three NMIs may wait") { step, before, machine, _ in
      guard step.kind.name == "event.nmi" else { return }
      let vcpu = Int(step.arguments[0]) % machine.localAPICs.count
      machine.localAPICs[vcpu].processor.pendingNMIs = min(3, before.localAPICs[vcpu].processor.pendingNMIs + 1)
    },
    Fault("lost-nmi", "an NMI is lost while one waits") { step, before, machine, _ in
      machine.forEachAPIC { vcpu, apic in
        let old = before.localAPICs[vcpu].processor.pendingNMIs
        if old > 0 { apic.processor.pendingNMIs = min(old, apic.processor.pendingNMIs) }
      }
    },
    Fault("sipi-in-wrong-state", "a SIPI starts a processor that waits for INIT") { step, before, machine, answer in
      guard step.kind.name == "event.state" else { return }
      let vcpu = Int(step.arguments[0]) % machine.localAPICs.count
      let old = before.localAPICs[vcpu].processor
      guard old.hasSIPI, !old.hasINIT, old.activity == .running, vcpu != 0 else { return }
      machine.localAPICs[vcpu].processor.activity = .waitingForSIPI
      answer = .value(2)
    },
    Fault("init-keeps-irr", "an INIT leaves the IRR") { step, before, machine, _ in
      machine.forEachAPIC { vcpu, apic in
        let old = before.localAPICs[vcpu]
        if old.processor.hasINIT, !apic.processor.hasINIT { apic.page.interruptRequest = old.page.interruptRequest }
      }
    },
    Fault("init-keeps-tpr", "an INIT leaves the TPR") { step, before, machine, _ in
      machine.forEachAPIC { vcpu, apic in
        let old = before.localAPICs[vcpu]
        if old.processor.hasINIT, !apic.processor.hasINIT { apic.page.taskPriority = old.page.taskPriority }
      }
    },
    Fault("init-lost", "an INIT is lost where a SIPI waits") { step, before, machine, _ in
      machine.forEachAPIC { vcpu, apic in
        if before.localAPICs[vcpu].processor.hasSIPI, apic.processor.hasINIT, !before.localAPICs[vcpu].processor.hasINIT
        {
          apic.processor = before.localAPICs[vcpu].processor
        }
      }
    },
  ]
}

extension OperationKind {
  /// Whether interrupts come of it.
  var delivers: Bool { [.msi, .line, .ipi].contains(family) }
}

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
