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
