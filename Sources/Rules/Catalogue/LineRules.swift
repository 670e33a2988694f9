import APIC
import ForeignStates
import KVM
import MachineState

extension Rule {
  /// Where lines lead: pins, routes, irqfds.
  static let lines: [Rule] = [
    Rule(
      "pin.nobody", "A pin to an APIC id that nobody has", .contradiction,
      why: "What the line raises is sent to no vCPU, and no error is told.",
      reference: "82093AA data sheet, 3.2.4 (destination field); KVM: ioapic_service",
      cause: "APIC ids that changed between save and restore; an id of more than 8 bits that was cut.",
      silence: "Where the destination is logical, or 0xff, which is everyone."
    ) { state in
      guard state.knows(.allVCPUs), !state.vcpus.isEmpty, let entries = state.redirectionTable else { return [] }
      let ids = state.vcpus.compactMap(\.currentID)
      guard ids.count == state.vcpus.count else { return [] }
      return entries.enumerated().compactMap { pin, entry in
        guard !entry.isMasked, entry.isInterrupt, case .physical(let id) = entry.message.destination, id != 0xff,
          !ids.contains(where: { $0 & 0xff == id & 0xff })
        else { return nil }
        return Sighting(owner: "IOAPIC", seen: "pin \(pin), vector \(entry.vector), goes to APIC id \(id)")
      }
    },
    Rule(
      "pin.vector", "An unmasked entry whose vector is reserved", .suspicion,
      why: "Vectors 0 to 15 are no interrupt's: the local APIC refuses the message and notes an error.",
      reference: "SDM volume 3A, 12.5.2 and 12.5.3",
      cause: "An entry that was never written, or not saved."
    ) { state in
      let entries = state.redirectionTable ?? []
      // A chip that was never saved is told of by a rule of its own.
      let isUnsaved = entries.allSatisfy { $0.rawValue == 0 }
      let pins = (isUnsaved ? [] : entries).enumerated().compactMap { pin, entry -> Sighting? in
        guard !entry.isMasked, [.fixed, .lowestPriority].contains(entry.deliveryMode), entry.vector < 16 else {
          return nil
        }
        return Sighting(owner: "IOAPIC", seen: "pin \(pin) is unmasked with vector \(entry.vector)")
      }
      return pins
        + state.vcpus.flatMap { vcpu in
          LocalVector.allCases.compactMap { source -> Sighting? in
            guard let entry = vcpu.lvt(source), vcpu.has(source), !entry.isMasked, entry.vector < 16,
              source == .timer || source == .error || entry.deliveryMode == .fixed
            else { return nil }
            return Sighting(
              owner: state.owner(vcpu), seen: "\(source.register.mnemonic) is unmasked with vector \(entry.vector)")
          }
        }
    },
    Rule(
      "route.no-pin", "A route to a pin that is not there", .contradiction,
      why: "What the GSI raises is lost; KVM_SET_GSI_ROUTING refuses such a table.",
      reference: "KVM API, KVM_SET_GSI_ROUTING; KVM: kvm_set_routing_entry",
      cause: "A table for another IOAPIC, or one that was damaged."
    ) { state in
      (state.routes ?? []).compactMap { route in
        guard case .irqChip(let gsi, let chip, let pin) = route, pin >= (chip == .ioapic ? UInt32(IOAPIC.pinCount) : 8)
        else { return nil }
        let name = chip == .ioapic ? "IOAPIC" : "PIC"
        return Sighting(owner: "routes", seen: "GSI \(gsi) leads to pin \(pin) of the \(name)")
      }
    },
    Rule(
      "irqfd.no-route", "An irqfd without a route", .contradiction,
      why: "KVM takes the signal and drops it: nothing tells either side.",
      reference: "KVM API, KVM_IRQFD and KVM_SET_GSI_ROUTING; KVM: irqfd_wakeup",
      cause: "The routes were not saved, or are set after the device is started again."
    ) { state in
      guard let events = state.irqfds, let routes = state.routes else { return [] }
      let routed = Set(routes.map(\.gsi))
      return events.enumerated().compactMap { index, event in
        guard !routed.contains(event.gsi) else { return nil }
        let waiting = event.pending > 0 ? ", and \(event.pending) signalled" : ""
        return Sighting(owner: "events", seen: "irqfd \(index) raises GSI \(event.gsi), which has no route\(waiting)")
      }
    },
  ]
}

extension InspectableVCPU {
  /// Whether its local APIC has an entry: CMCI's is the seventh, where there is one.
  fileprivate func has(_ source: LocalVector) -> Bool {
    source != .cmci || (self[.version].map { $0 >> 16 & 0xff >= 6 } ?? false)
  }
}
