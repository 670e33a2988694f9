import APIC
import ForeignStates
import KVM
import MachineState

extension Rule {
  /// What the processor is at, and whether it can be entered so.
  static let execution: [Rule] = [
    Rule(
      ofVCPU: "halt.interrupts-off", "Halted with interrupts off", .suspicion,
      why: "Only an NMI, an SMI, an INIT or a reset ends that halt.",
      reference: "SDM volume 2A, HLT; SDM volume 3A, 7.8.1",
      cause: "A guest that ended or panicked; RFLAGS that were not saved.",
      silence: "Where an unmasked entry of the LVT would raise an NMI, as LINT1 does under Linux on the bootstrap "
        + "processor, or an NMI or SMI is pending."
    ) { vcpu, _ in
      guard vcpu.mpState == .halted, vcpu.allowsInterrupts == false, let events = vcpu.events,
        events.nmi.pending == 0, !events.nmi.injected, !(events.smi?.pending ?? false), !vcpu.hasNMISource
      else { return nil }
      return "the vCPU is halted, RFLAGS.IF is 0, no NMI is pending, and no entry of its LVT would raise one"
    },
    Rule(
      ofVCPU: "entry.shadow", "A shadow that the processor refuses", .contradiction,
      why: "VM entry fails with such an interruptibility state, or the shadow covers an interrupt that it should not.",
      reference: "SDM volume 3C, 27.3.1.5 (guest interruptibility state)",
      cause: "Shadow and RFLAGS are of different moments.",
      silence: "Where the shadows of STI and of MOV SS are told at once, as KVM tells of AMD's single one "
        + "(`svm_get_interrupt_shadow`)."
    ) { vcpu, _ in
      guard vcpu.shadow.map({ $0 & 3 }) == 2, vcpu.allowsInterrupts == false else { return nil }
      return "the shadow of STI, and RFLAGS.IF is 0"
    },
    Rule(
      ofVCPU: "entry.injected", "An injection that the processor refuses", .contradiction,
      why: "VM entry fails where an external interrupt is injected with interrupts off or shadowed.",
      reference: "SDM volume 3C, 27.3.1.4 and 27.3.1.5",
      cause: "Events and registers are of different moments; an event that was taken from the bitmap of KVM_GET_SREGS."
    ) { vcpu, _ in
      guard let events = vcpu.events else { return nil }
      let vector = hex(events.interrupt.number)
      if events.interrupt.injected, !events.interrupt.soft {
        if vcpu.allowsInterrupts == false { return "interrupt \(vector) is injected, and RFLAGS.IF is 0" }
        if let shadow = vcpu.shadow, shadow != 0 { return "interrupt \(vector) is injected within an interrupt shadow" }
      }
      // Both shadows at once are AMD's single one, which may be that of STI.
      if events.nmi.injected, vcpu.shadow.map({ $0 & 3 }) == 1 {
        return "an NMI is injected within the shadow of MOV SS"
      }
      let begun = [events.exception.injected, events.interrupt.injected, events.nmi.injected].count { $0 }
      return begun > 1 ? "\(begun) events are being delivered at once" : nil
    },
    Rule(
      ofVCPU: "entry.halted-in-shadow", "Halted within an interrupt shadow", .contradiction,
      why: "A processor that halts has ended the shadow; VM entry fails in the HLT state with one.",
      reference: "SDM volume 3C, 27.3.1.5 (activity state)",
      cause: "MP state and events are of different moments."
    ) { vcpu, _ in
      guard vcpu.mpState == .halted, let shadow = vcpu.shadow, shadow & 3 != 0 else { return nil }
      return "the vCPU is halted, and the shadow of \(shadow & 2 != 0 ? "STI" : "MOV SS") is on"
    },
  ]

  /// Clocks.
  static let clocks: [Rule] = [
    Rule(
      ofVCPU: "clock.tsc-behind", "A TSC that is behind kvmclock", .suspicion,
      why: "Both begin with the machine: a guest that goes from one clock to the other jumps, and its "
        + "deadlines are late.",
      reference: "KVM API, KVM_GET_CLOCK; kernel documentation, virt/kvm/x86/timekeeping.rst",
      cause: "The TSC was not restored, or stood while kvmclock went on; also a guest that wrote its TSC.",
      silence: "Where the difference is at most 10 seconds; of other vCPUs than the first."
    ) { vcpu, state in
      guard let (tsc, clock) = state.seconds(of: vcpu), clock - tsc > 10 else { return nil }
      return "the TSC is at \(Int64(tsc)) s, kvmclock at \(Int64(clock)) s"
    },
    Rule(
      ofVCPU: "clock.kvmclock-behind", "A kvmclock that is behind the TSC", .hint,
      why: "Both begin with the machine where KVM offsets the TSC; a guest's time jumps back where "
        + "kvmclock began anew.",
      reference: "KVM API, KVM_SET_CLOCK; kernel documentation, virt/kvm/x86/timekeeping.rst",
      cause: "KVM_SET_CLOCK was left out at a restore; also a host that shows guests its own TSC, or a "
        + "guest that wrote it.",
      silence: "Where the difference is at most 10 seconds, or the guest is known to read the host's own TSC; of other "
        + "vCPUs than the first."
    ) { vcpu, state in
      guard let (tsc, clock) = state.seconds(of: vcpu), tsc - clock > 10, !state.showsHostTSC(vcpu) else { return nil }
      return "the TSC is at \(Int64(tsc)) s, kvmclock at \(Int64(clock)) s"
    },
    Rule(
      "clock.tsc-apart", "TSCs that are far apart", .suspicion,
      why: "A guest that takes its TSCs for one clock sees time run backwards when a thread moves.",
      reference: "SDM volume 3B, 18.17; KVM API, KVM_VCPU_TSC_OFFSET",
      cause: "The TSC of each vCPU was written at another moment, by value and not by offset.",
      silence: "Where the difference is at most a second; of vCPUs that have not been started."
    ) { state in
      let known = state.vcpus.filter { vcpu in
        vcpu.mpState.map { [.runnable, .halted].contains($0) } ?? false && vcpu.tscKHz != nil
      }
      guard let kHz = known.first?.tscKHz, let least = known.compactMap(\.tsc).min(),
        let most = known.compactMap(\.tsc).max(), most - least > UInt64(kHz) * 1000
      else { return [] }
      let seen = "from \(hex(least)) to \(hex(most)), more than a second"
      return [Sighting(owner: "machine", seen: seen)]
    },
  ]
}

extension InspectableState {
  /// Whether a guest reads the host's own TSC, which began long before the machine.
  fileprivate func showsHostTSC(_ vcpu: InspectableVCPU) -> Bool {
    guard knows(.hostClock), let tsc = vcpu.tsc, let kHz = vcpu.tscKHz else { return false }
    let host = machine.time.hostTSC
    return host > 0 && max(host, tsc) - min(host, tsc) < UInt64(kHz) * 10_000
  }

  /// The TSC of the first vCPU and kvmclock, in seconds; nil where one is not known.
  fileprivate func seconds(of vcpu: InspectableVCPU) -> (tsc: Double, clock: Double)? {
    guard vcpu.index == 0, let clock = guestClock, let tsc = vcpu.tsc, let kHz = vcpu.tscKHz else { return nil }
    let (seconds, other) = (Double(tsc) / Double(kHz) / 1000, Double(clock) / 1e9)
    return seconds < 1e18 ? (seconds, other) : nil
  }
}

extension InspectableVCPU {
  /// Whether an entry of its LVT raises an NMI; also where that is not known.
  fileprivate var hasNMISource: Bool {
    [LocalVector.lint1, .lint0, .performance, .thermal].contains { source in
      guard let entry = lvt(source) else { return true }
      return !entry.isMasked && entry.deliveryMode == .nmi
    }
  }
}
