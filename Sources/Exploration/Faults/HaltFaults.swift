import APIC
import ReferenceModel

extension Fault {
  /// Faults of HLT, and of the instruction behind STI.
  static let halts: [Fault] = [
    Fault("shadow-lost", "an interrupt comes between STI and the instruction behind it") { step, _, _, answer in
      guard step.kind.name == "guest.halt", case .taken(let vector, true) = answer else { return }
      answer = .taken(vector: vector, isBehind: false)
    },
    Fault("halt-passed", "a vCPU goes on behind HLT though nothing has come") { step, _, machine, answer in
      guard answer == .halts, step.kind.name == "guest.halt" else { return }
      answer = .done
      machine.localAPICs[Int(step.arguments[0]) % machine.localAPICs.count].processor.activity = .running
    },
    Fault("halt-kept", "an interrupt does not end the halt of a vCPU") { step, before, machine, answer in
      let vcpu = Int(step.arguments[0]) % machine.localAPICs.count
      guard step.kind.name == "guest.take", before.localAPICs[vcpu].processor.activity == .halted,
        case .value(let vector, _) = answer, vector != 2
      else { return }
      machine = before
      answer = .done
    },
    Fault("nmi-keeps-halt", "an NMI does not end the halt of a vCPU") { step, before, machine, answer in
      let vcpu = Int(step.arguments[0]) % machine.localAPICs.count
      guard step.kind.name == "guest.take", before.localAPICs[vcpu].processor.activity == .halted,
        answer == .value(2)
      else { return }
      machine = before
      answer = .done
    },
  ]
}
