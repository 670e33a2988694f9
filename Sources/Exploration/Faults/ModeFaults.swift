import APIC
import ReferenceModel

extension Fault {
  /// Faults of modes and registers.
  static let modes: [Fault] = [
    Fault("ldr-kept", "x2APIC mode keeps the LDR of xAPIC mode") { step, before, machine, _ in
      guard step.kind.name == "mode.set" else { return }
      machine.forEachAPIC { vcpu, apic in
        if before.localAPICs[vcpu].mode != .x2APIC, apic.mode == .x2APIC {
          apic.page.logicalDestination = before.localAPICs[vcpu].page.logicalDestination
        }
      }
    },
    Fault("id-kept", "xAPIC mode keeps the ID of x2APIC mode") { step, before, machine, _ in
      guard step.kind.name == "mode.set" else { return }
      machine.forEachAPIC { vcpu, apic in
        if before.localAPICs[vcpu].mode == .x2APIC, apic.mode == .xAPIC { apic.page[.id] = UInt32(vcpu) }
      }
    },
    Fault("mode-clears-irr", "a change of the mode clears the IRR") { step, before, machine, _ in
      machine.forEachAPIC { vcpu, apic in
        if before.localAPICs[vcpu].mode != apic.mode { apic.page.interruptRequest = [] }
      }
    },
    Fault("svr-keeps-lvt", "the LVT stays unmasked when software disables the local APIC") { step, before, machine, _ in
      guard step.kind.name == "register.svr" else { return }
      machine.forEachAPIC { vcpu, apic in
        apic.page.setLVT(.lint0, to: before.localAPICs[vcpu].page.lvt(.lint0))
      }
    },
    Fault("lvt-unmasked-while-disabled", "an LVT entry can be unmasked while software has the local APIC disabled") {
      step, _, machine, _ in
      guard step.kind.name == "register.lvt", step.arguments[4] & 0x1_0000 == 0 else { return }
      let vcpu = Int(step.arguments[0]) % machine.localAPICs.count
      if machine.localAPICs[vcpu].mode == .x2APIC, !machine.localAPICs[vcpu].isSoftwareEnabled {
        machine.localAPICs[vcpu].page[.lvtLINT1] &= ~(1 << 16)
      }
    },
    Fault("reserved-register-reads", "a register that does not exist reads as 0") { step, _, _, answer in
      if step.kind.name == "register.read", step.arguments[1] == 0x3f0, answer == .refused { answer = .value(0) }
    },
    Fault("svi-stale", "after its inhibit an EOI ends nothing, until the next interrupt is taken") {
      step, before, machine, _ in
      // As with APICv on VT-x before Linux 6.19: the guest's SVI is not set again when virtual-interrupt delivery comes back.
      guard step.kind.name == "register.eoi" else { return }
      machine.forEachAPIC { vcpu, apic in
        let old = before.localAPICs[vcpu].page.inService
        if old.count > 1, old != apic.page.inService { apic.page.inService = old }
      }
    },
  ]

  /// Faults of restored states.
  static let restores: [Fault] = [
    Fault("restore-loses-isr", "a local APIC that is set loses the highest vector in service") { step, _, machine, _ in
      guard step.kind.family == .lapic else { return }
      let vcpu = Int(step.arguments[0]) % machine.localAPICs.count
      let vectors = machine.localAPICs[vcpu].page.inService
      if let highest = vectors.highest, vectors.count > 1 { machine.localAPICs[vcpu].page.inService.remove(highest) }
    },
    Fault("restore-keeps-ppr", "a local APIC that is set keeps the PPR it is given") { step, before, machine, _ in
      guard step.kind.family == .lapic else { return }
      let vcpu = Int(step.arguments[0]) % machine.localAPICs.count
      machine.localAPICs[vcpu].page.processorPriority = before.localAPICs[vcpu].page.processorPriority
    },
    Fault("restore-disables", "a local APIC that is set is no destination until its SVR is written") {
      step, _, machine, answer in
      guard step.kind.name == "lapic.register", step.arguments[1] == 0xf0, step.arguments[2] == 0x1ff else { return }
      let vcpu = Int(step.arguments[0]) % machine.localAPICs.count
      machine.localAPICs[vcpu].page[.spurious] = 0xff
    },
  ]
}

extension Fault {
  /// Faults of the local APICs' timers.
  static let timers: [Fault] = [
    Fault("deadline-survives-mode", "a deadline survives a change of the timer's mode") { step, before, machine, _ in
      guard step.kind.name == "timer.mode" else { return }
      machine.forEachAPIC { vcpu, apic in
        if before.localAPICs[vcpu].timer.deadline != 0 {
          apic.timer.deadline = before.localAPICs[vcpu].timer.deadline
          apic.timer.mode = .tscDeadline
        }
      }
    },
    Fault("deadline-in-any-mode", "a deadline is taken in any mode of the timer") { step, before, machine, _ in
      guard step.kind.name == "timer.deadline", step.arguments[1] != 0 else { return }
      let vcpu = Int(step.arguments[0]) % machine.localAPICs.count
      guard before.localAPICs[vcpu].isPresent else { return }
      machine.localAPICs[vcpu].timer.deadline = step.arguments[1]
      machine.localAPICs[vcpu].timer.mode = .tscDeadline
    },
    Fault("count-kept", "a change to TSC-deadline mode keeps the initial count") { step, before, machine, _ in
      guard step.kind.name == "timer.mode" else { return }
      machine.forEachAPIC { vcpu, apic in apic.page.initialCount = before.localAPICs[vcpu].page.initialCount }
    },
    Fault("count-in-deadline-mode", "the initial count is taken in TSC-deadline mode") { step, before, machine, _ in
      guard step.kind.name == "timer.count" else { return }
      let vcpu = Int(step.arguments[0]) % machine.localAPICs.count
      if machine.localAPICs[vcpu].mode == .x2APIC {
        machine.localAPICs[vcpu].page.initialCount = UInt32(truncatingIfNeeded: step.arguments[1])
      }
    },
    Fault("divide-ignored", "a new divide configuration does not change what is left of the count") {
      step, before, machine, _ in
      guard step.kind.name == "timer.divide" else { return }
      machine.forEachAPIC { vcpu, apic in apic.timer = before.localAPICs[vcpu].timer }
    },
    Fault("timer-restarted", "a local APIC that is set counts as much as it did before") { step, before, machine, _ in
      guard step.kind.family == .lapic else { return }
      machine.forEachAPIC { vcpu, apic in apic.timer = before.localAPICs[vcpu].timer }
    },
  ]
}
