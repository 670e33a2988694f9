import APIC
import ForeignStates
import KVM
import MachineState

extension Rule {
  /// What is requested and in service: IRR, ISR, TMR and remote IRR.
  static let service: [Rule] = [
    Rule(
      "service.remote-irr", "Remote IRR of a vector that nobody has", .contradiction,
      why: "The pin sends nothing more until an EOI clears its remote IRR, and no vCPU has that interrupt to end it.",
      reference: "82093AA data sheet, 3.2.4 (remote IRR); SDM volume 3A, 12.8.5; KVM: ioapic_service",
      cause: "The local APICs were not saved with the IOAPIC, or at another moment; an EOI exit that was lost.",
      silence: "Where a vCPU keeps its EOIs from the IOAPIC (SVR bit 12): the guest clears remote IRR by itself then. "
        + "A vector that is requested or being delivered is still to be served."
    ) { state in
      guard state.knows(.allVCPUs), let entries = state.redirectionTable, let taken = state.takenVectors,
        !state.vcpus.contains(where: { LocalAPICState.suppressesBroadcast($0[.spurious]) })
      else { return [] }
      return entries.enumerated().compactMap { pin, entry in
        guard entry.isLevelInterrupt, entry.remoteIRR, !taken.contains(entry.vector) else { return nil }
        return Sighting(
          owner: "IOAPIC",
          seen: "pin \(pin) has remote IRR, and vector \(entry.vector) is in no vCPU's IRR or ISR")
      }
    },
    Rule(
      "service.no-remote-irr", "A level-triggered vector in service whose pin has no remote IRR", .suspicion,
      why: "The EOI of that interrupt is sent to an IOAPIC that does not wait for it: the line can be taken twice.",
      reference: "82093AA data sheet, 3.2.4 (remote IRR); SDM volume 3A, 12.8.4",
      cause: "The IOAPIC was not saved, or reset at a restore; a guest that rewrites the entry while it is in service.",
      silence: "Where the pin is masked, the TMR does not have the vector, or another pin or a known MSI route has it."
    ) { state in
      guard let entries = state.redirectionTable else { return [] }
      return entries.enumerated().flatMap { pin, entry -> [Sighting] in
        guard entry.isLevelInterrupt, !entry.isMasked, !entry.remoteIRR, state.isSoleEntry(pin, entries) else {
          return []
        }
        return state.vcpus.filter { vcpu in
          vcpu.inService?.contains(entry.vector) ?? false && vcpu.triggerModes?.contains(entry.vector) ?? false
        }.map { vcpu in
          Sighting(
            owner: state.owner(vcpu),
            seen: "\(entry.vector) is in service and level-triggered; IOAPIC pin \(pin) has no remote IRR")
        }
      }
    },
    Rule(
      "service.trigger-mode", "TMR against the pin's trigger mode", .suspicion,
      why: "The TMR decides whether the EOI goes to the IOAPIC: by the wrong bit, remote IRR stays or is "
        + "never awaited.",
      reference: "SDM volume 3A, 12.8.4 (TMR)",
      cause: "A register page without its TMR; the entry was rewritten while its interrupt was requested; "
        + "an MSI or IPI "
        + "with the pin's vector.",
      silence: "Where the vector is neither requested nor in service, the pin is masked, or another pin or a known MSI "
        + "route has the vector."
    ) { state in
      guard let entries = state.redirectionTable else { return [] }
      return entries.enumerated().flatMap { pin, entry -> [Sighting] in
        guard entry.isInterrupt, !entry.isMasked, state.isSoleEntry(pin, entries) else { return [] }
        return state.vcpus.compactMap { vcpu in
          guard let requested = vcpu.interruptRequest, let served = vcpu.inService, let modes = vcpu.triggerModes,
            requested.contains(entry.vector) || served.contains(entry.vector),
            modes.contains(entry.vector) != (entry.triggerMode == .level)
          else { return nil }
          let mode = modes.contains(entry.vector) ? "level" : "edge"
          let other = entry.triggerMode == .level ? "level" : "edge"
          return Sighting(
            owner: state.owner(vcpu),
            seen: "\(entry.vector) is \(mode)-triggered by the TMR, IOAPIC pin \(pin) is \(other)")
        }
      }
    },
    Rule(
      ofVCPU: "service.no-handler", "In service, though no handler runs", .suspicion,
      why: "Vectors of that class and below wait for an EOI that nobody is about to write.",
      reference: "SDM volume 3A, 12.8.3.1 and 12.8.5",
      cause: "A handler without an EOI, or one that was left by a jump; an EOI that went to the wrong "
        + "register for the mode.",
      silence: "Where the vCPU runs at CPL 0 to 2: whether RIP is in a handler cannot be told from a state, so that "
        + "only a vCPU that is halted or at CPL 3 is taken to be outside of one."
    ) { vcpu, _ in
      guard let served = vcpu.inService, let highest = served.highest else { return nil }
      if vcpu.mpState == .halted {
        let flag = vcpu.allowsInterrupts.map { $0 ? " with interrupts on" : " with interrupts off" } ?? ""
        return "\(highest) is in service, and the vCPU is halted\(flag)"
      }
      guard vcpu.knows(.segments), vcpu.knows(.control), vcpu.values.specialRegisters.cr0 & 1 == 1,
        vcpu.values.specialRegisters.ss.dpl == 3
      else { return nil }
      return "\(highest) is in service, and the vCPU is at CPL 3"
    },
    Rule(
      ofVCPU: "service.ppr", "PPR against TPR and ISR", .suspicion,
      why: "The PPR follows from both; one that is too high holds back interrupts that should come.",
      reference: "SDM volume 3A, 12.8.3.1; KVM: apic_update_ppr",
      cause: "KVM computes it when it next looks, so it may be of an earlier moment; a page put together by hand."
    ) { vcpu, _ in
      guard let page = vcpu[.processorPriority], let priority = vcpu[.taskPriority], let served = vcpu.inService else {
        return nil
      }
      let task = Priority(rawValue: UInt8(truncatingIfNeeded: priority))
      let expected = Priority.processorPriority(taskPriority: task, highestInService: served.highest)
      guard page & 0xff != UInt32(expected.rawValue) else { return nil }
      return "PPR \(hex(page)); TPR \(task) and the ISR make it \(expected)"
    },
  ]
}

extension RedirectionEntry {
  /// Whether it sends an ordinary interrupt.
  var isInterrupt: Bool { [.fixed, .lowestPriority].contains(deliveryMode) && vector >= 16 }
  fileprivate var isLevelInterrupt: Bool { isInterrupt && triggerMode == .level }
}

extension LocalAPICState {
  /// Whether EOIs are kept from the IOAPIC (SVR bit 12).
  fileprivate static func suppressesBroadcast(_ spurious: UInt32?) -> Bool { (spurious ?? 0) >> 12 & 1 == 1 }
}

extension InspectableState {
  /// What is in any vCPU's IRR or ISR or being delivered; nil where that is not known of each.
  fileprivate var takenVectors: VectorSet? {
    var taken = VectorSet()
    for vcpu in vcpus {
      guard let requested = vcpu.interruptRequest, let served = vcpu.inService else { return nil }
      taken = taken.union(requested).union(served)
      if let interrupt = vcpu.events?.interrupt, interrupt.injected { taken.insert(Vector(rawValue: interrupt.number)) }
    }
    return taken
  }

  /// Whether no other pin and no message has a pin's vector.
  fileprivate func isSoleEntry(_ pin: Int, _ entries: [RedirectionEntry]) -> Bool {
    let vector = entries[pin].vector
    let isAlone = entries.enumerated().allSatisfy { $0.offset == pin || $0.element.vector != vector }
    return isAlone
      && !(routes ?? []).contains { route in
        guard case .msi(_, let message) = route else { return false }
        return message.vector == vector
      }
  }
}
