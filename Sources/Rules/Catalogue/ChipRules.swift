import APIC
import ForeignStates
import KVM
import MachineState

extension Rule {
  /// PIC, PIT and IOAPIC.
  static let chips: [Rule] = [
    Rule(
      "pit.nowhere", "A PIT that counts for nobody", .suspicion,
      why: "Its interrupt is line 0 of the PIC and pin 0 or 2 of the IOAPIC, and each way is shut: a "
        + "guest that waits for "
        + "its ticks waits for ever.",
      reference: "SDM volume 3A, 12.5.1 (LINT0); MultiProcessor Specification 1.4, 3.6.2",
      cause: "Firmware that masked LINT0, or a state in which one of three chips was not saved; also a guest that uses "
        + "another timer and left the PIT running.",
      silence: "Where the PIT is in another mode than rate generator or square wave, or an HPET has its place."
    ) { state in
      guard let channel = state.pit?.channel0, state.pit?.isReplacedByHPET == false, channel.count > 0,
        [PIT.Mode.rateGenerator, .squareWave].contains(PIT.Mode(rawValue: channel.mode)), channel.gate != 0,
        state.knows(.ioapic), state.knows(.pics), state.knows(.allVCPUs)
      else { return [] }
      if let entries = state.redirectionTable, entries.count > 2, !entries[0].isMasked || !entries[2].isMasked {
        return []
      }
      var shut = ["IOAPIC pins 0 and 2 are masked"]
      if let pics = state.pics, pics.master.imr & 1 == 0 {
        let listeners = state.vcpus.map(\.listensToPIC)
        guard !listeners.contains(where: { $0 != false }) else { return [] }
        shut.append("no vCPU has an unmasked ExtINT at LINT0")
      } else {
        shut.append("the PIC's line 0 is masked")
      }
      return [Sighting(owner: "PIT", seen: "channel 0 counts from \(channel.count); " + shut.joined(separator: ", "))]
    },
    Rule(
      "pit.load-ahead", "A PIT whose count was loaded in the future", .contradiction,
      why: "The count is computed from the time since it was loaded; KVM's timer would fire at once, many times over.",
      reference: "KVM API, KVM_GET_PIT2 (count_load_time); KVM: __kpit_elapsed",
      cause: "A load time of another host's clock that was not converted."
    ) { state in
      guard let chip = state.pit, let now = state.hostMonotonic else { return [] }
      return [chip.channel0, chip.channel1, chip.channel2].enumerated().compactMap { number, channel in
        guard channel.count > 0, channel.countLoadTime > 0, UInt64(channel.countLoadTime) > now else { return nil }
        return Sighting(
          owner: "PIT",
          seen: "channel \(number) was loaded at \(channel.countLoadTime) ns, and the state was taken at \(now) ns")
      }
    },
    Rule(
      "pic.initializing", "A PIC that is half initialized", .suspicion,
      why: "Between ICW1 and the last initialization word the chip passes nothing on.",
      reference: "8259A data sheet, initialization command words; KVM: pic_ioport_write",
      cause: "A guest that was stopped just there, or whose initialization has a word too few."
    ) { state in
      state.chips.compactMap { number, chip in
        guard chip.initState != 0 else { return nil }
        return Sighting(owner: "PIC \(number)", seen: "it waits for ICW\(Int(chip.initState) + 1)")
      }
    },
    Rule(
      "pic.unsaved", "A PIC that is all zero", .contradiction,
      why: "Every line is unmasked and leads to vectors from 0 on, the exceptions.",
      reference: "KVM API, KVM_GET_IRQCHIP (elcr_mask is never 0)",
      cause: "Only one of the three chips was saved."
    ) { state in
      state.chips.compactMap { number, chip in
        chip == PICState() ? Sighting(owner: "PIC \(number)", seen: "all of its registers are 0") : nil
      }
    },
    Rule(
      "ioapic.unsaved", "An IOAPIC that is all zero", .suspicion,
      why: "A reset masks every pin; here each is unmasked with vector 0, and what it raises is lost.",
      reference: "82093AA data sheet, 3.2.4; KVM: kvm_ioapic_reset",
      cause: "Only one of the three chips was saved."
    ) { state in
      guard let entries = state.redirectionTable, !entries.isEmpty, entries.allSatisfy({ $0.rawValue == 0 }) else {
        return []
      }
      return [Sighting(owner: "IOAPIC", seen: "all of its redirection entries are 0")]
    },
  ]
}

extension InspectableState {
  /// The PICs with their numbers.
  fileprivate var chips: [(Int, PICState)] {
    guard knows(.picDetails), let pics else { return [] }
    return [(0, pics.master), (1, pics.slave)]
  }
}

extension InspectableVCPU {
  /// Whether it takes the PIC's interrupts; nil where that is not known.
  var listensToPIC: Bool? {
    guard let base = apicBase, let entry = lvt(.lint0) else { return nil }
    return base.mode == .disabled || !entry.isMasked && entry.deliveryMode == .external
  }
}

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
