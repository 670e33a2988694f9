import APIC
import ForeignStates
import KVM

extension Rule {
  /// The timer of the local APIC.
  static let timers: [Rule] = [
    Rule(
      ofVCPU: "timer.no-deadline", "TSC-deadline mode without a deadline", .suspicion,
      why: "The timer fires no more until the guest writes IA32_TSC_DEADLINE, and a guest that waits for "
        + "it never does.",
      reference: "SDM volume 3A, 12.5.4.1; KVM: kvm_set_lapic_tscdeadline_msr",
      cause: "IA32_TSC_DEADLINE was saved as 0 or not at all, or written before the register page, when KVM drops it.",
      silence: "Where the entry is masked, or its vector is requested, in service or being delivered."
    ) { vcpu, _ in
      guard let timer = vcpu.openTimer(in: .tscDeadline), vcpu.deadline == 0, vcpu.isSilent(timer.vector) else {
        return nil
      }
      return "LVT_TIMER is TSC-deadline, vector \(timer.vector); IA32_TSC_DEADLINE is 0, and the vector is neither "
        + "requested nor in service"
    },
    Rule(
      ofVCPU: "timer.deadline-passed", "A deadline that passed long ago", .suspicion,
      why: "A timer whose deadline has passed has raised its vector; here it is not requested.",
      reference: "SDM volume 3A, 12.5.4.1; KVM: apic_timer_expired",
      cause: "The TSC was restored after the deadline or with another offset, or the guest was stopped for that long.",
      silence: "Where that is less than a second ago (2^32 cycles where the frequency is not known), the entry is "
        + "masked, or its vector is requested, in service or being delivered."
    ) { vcpu, _ in
      guard let timer = vcpu.openTimer(in: .tscDeadline), let deadline = vcpu.deadline, deadline != 0,
        let tsc = vcpu.tsc, tsc > deadline, vcpu.isSilent(timer.vector)
      else { return nil }
      let cycles = tsc - deadline
      let second = vcpu.tscKHz.map { UInt64($0) * 1000 } ?? 1 << 32
      guard cycles > second else { return nil }
      let span = vcpu.tscKHz.map { "\(cycles / (UInt64($0) * 1000)) s" } ?? "\(cycles) cycles"
      return "the deadline passed \(span) ago, and vector \(timer.vector) is not requested"
    },
    Rule(
      ofVCPU: "timer.mode-without-cpuid", "TSC-deadline mode that CPUID does not have", .contradiction,
      why: "KVM takes bit 18 of LVT_TIMER as reserved then and runs the timer as one-shot, so that "
        + "deadlines do nothing.",
      reference: "SDM volume 3A, 12.5.4.1 (CPUID.01H:ECX[24]); KVM: kvm_apic_after_set_cpuid",
      cause: "KVM_SET_CPUID2 with KVM_GET_SUPPORTED_CPUID's answer, where that bit is not set: a VMM has to add it."
    ) { vcpu, _ in
      guard vcpu.lvt(.timer)?.timerMode == .tscDeadline, let leaf = vcpu.leaf(1), leaf.ecx >> 24 & 1 == 0 else {
        return nil
      }
      return "LVT_TIMER is in TSC-deadline mode, CPUID.01H:ECX[24] is 0"
    },
    Rule(
      ofVCPU: "timer.deadline-in-other-mode", "A deadline outside of TSC-deadline mode", .contradiction,
      why: "Outside of that mode the MSR reads as 0 and writes to it are ignored: the deadline is lost at a restore.",
      reference: "SDM volume 3A, 12.5.4.1; KVM: kvm_get_lapic_tscdeadline_msr",
      cause: "The register page and the MSRs are of different moments."
    ) { vcpu, _ in
      guard let deadline = vcpu.deadline, deadline != 0, let entry = vcpu.lvt(.timer), entry.timerMode != .tscDeadline
      else { return nil }
      return "IA32_TSC_DEADLINE is \(hex(deadline)), LVT_TIMER is \(hex(entry.rawValue))"
    },
    Rule(
      ofVCPU: "timer.stopped", "A timer that has stopped", .suspicion,
      why: "The timer has a count to start from and has none left, and its vector is not requested: it fires no more.",
      reference: "SDM volume 3A, 12.5.4",
      cause: "A one-shot timer that the guest has not set again; a current count that was not saved.",
      silence: "Where the initial count is 0 too, the entry is masked, or its vector is requested, in service or being "
        + "delivered."
    ) { vcpu, _ in
      guard let timer = vcpu.openTimer(in: .oneShot) ?? vcpu.openTimer(in: .periodic),
        let initial = vcpu[.initialCount], initial > 0, vcpu[.currentCount] == 0, vcpu.isSilent(timer.vector)
      else { return nil }
      return "LVT_TIMER is unmasked, vector \(timer.vector), initial count \(initial), current count 0"
    },
  ]
}

extension InspectableVCPU {
  /// The timer's entry, where it is unmasked and in that mode.
  fileprivate func openTimer(in mode: TimerMode) -> LVTEntry? {
    guard let entry = lvt(.timer), entry.timerMode == mode, !entry.isMasked else { return nil }
    return entry
  }

  /// Whether a vector is known to be neither requested nor taken.
  fileprivate func isSilent(_ vector: Vector) -> Bool {
    guard let requested = interruptRequest, let served = inService else { return false }
    let injected = events.map { $0.interrupt.injected && $0.interrupt.number == vector.rawValue } ?? false
    return !requested.contains(vector) && !served.contains(vector) && !injected
  }
}
