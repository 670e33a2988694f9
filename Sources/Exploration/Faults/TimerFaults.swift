import APIC
import ReferenceModel

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
      guard step.kind.family == "lapic" else { return }
      machine.forEachAPIC { vcpu, apic in apic.timer = before.localAPICs[vcpu].timer }
    },
  ]
}
