import APIC
import KVM
import MachineState

extension VCPUState {
  /// What is pending or being delivered (KVM_GET_VCPU_EVENTS), and what KVM was told of the vCPU.
  static let eventRegisters: [Register] = [
    Register("EXCEPTION", "Exception (KVM_GET_VCPU_EVENTS)") { state in
      let exception = state.events.exception
      guard exception.injected || exception.pending else { return .words("none") }
      return .words("\(exception.number) \(exception.injected ? "injected" : "pending")")
    } meaning: { state in
      let exception = state.events.exception
      // What was left behind by an earlier one is part of the state, too.
      return [
        exception.injected || exception.pending || exception.number == 0 ? nil : "last \(exception.number)",
        exception.injected && exception.pending ? "and pending" : nil,
        exception.errorCode.map { "error code \(hex($0))" }, exception.payload.map { "payload \(hex($0))" },
      ].compactMap { $0 }.joined(separator: ", ")
    },
    Register("INTERRUPT", "Interrupt being delivered (KVM_GET_VCPU_EVENTS)") { state in
      let interrupt = state.events.interrupt
      let vector = hex(interrupt.number, digits: 2)
      return .words(interrupt.injected ? "\(vector) injected\(interrupt.soft ? " by INT" : "")" : "none")
    } meaning: { state in
      let interrupt = state.events.interrupt
      let last = interrupt.injected || interrupt.number == 0 ? nil : "last \(hex(interrupt.number, digits: 2))"
      return [last, !interrupt.injected && interrupt.soft ? "by INT" : nil].compactMap { $0 }.joined(separator: " ")
    },
    Register("SHADOW", "Interrupt shadow (KVM_GET_VCPU_EVENTS)") { state in
      let shadow = state.events.interrupt.shadow
      let names = [shadow & 2 == 0 ? nil : "STI", shadow & 1 == 0 ? nil : "MOV SS"].compactMap { $0 }
      return .words(names.isEmpty ? "none" : names.joined(separator: " and "))
    } meaning: {
      $0.events.interrupt.shadow > 3 ? hex($0.events.interrupt.shadow) : ""
    },
    Register("NMI", "Non-maskable interrupts (KVM_GET_VCPU_EVENTS)") { state in
      let nmi = state.events.nmi
      let parts = [
        nmi.injected ? "injected" : nil, nmi.pending > 0 ? "\(nmi.pending) pending" : nil,
        nmi.masked ? "blocked until IRET" : nil,
      ].compactMap { $0 }
      return .words(parts.isEmpty ? "none" : parts.joined(separator: ", "))
    },
    Register("SMI", "System management (KVM_GET_VCPU_EVENTS)") { state in
      guard let smi = state.events.smi else { return nil }
      let parts = [
        smi.inSMM ? "in SMM" : nil, smi.pending ? "pending" : nil, smi.insideNMI ? "came while NMIs were blocked" : nil,
        smi.latchedINIT ? "INIT latched" : nil,
      ].compactMap { $0 }
      return .words(parts.isEmpty ? "none" : parts.joined(separator: ", "))
    },
    Register("SIPI_VECTOR", "Vector of the last SIPI") { $0.events.sipiVector.map { .bits($0) } },
    Register("TRIPLE_FAULT", "Triple fault (KVM_GET_VCPU_EVENTS)") { $0.events.tripleFault.map { .flag($0) } },
    Register("VAPIC_ADDRESS", "vAPIC address (KVM_SET_VAPIC_ADDR)") {
      .bits($0.settings.vapicAddress)
    } meaning: {
      $0.settings.vapicAddress == 0 ? "none" : ""
    },
    Register("TPR_ACCESS_REPORTING", "TPR access reporting (KVM_TPR_ACCESS_REPORTING)") {
      .words($0.settings.reportsTPRAccesses ? "on" : "off")
    },
    Register("VCPU_CAPABILITIES", "Capabilities that were enabled on the vCPU (KVM_ENABLE_CAP)") {
      .words($0.settings.capabilities.words)
    },
    Register("TSC_KHZ", "TSC frequency in kHz") { .count(Int64($0.tscKHz)) },
    Register("TSC_OFFSET", "What the TSC is ahead of the host's", moves: .always) {
      $0.tscOffset.map { .bits($0) }
    },
    Register("XSAVE", "Extended state (KVM_GET_XSAVE2)") { .words($0.xsave.summary) },
    Register("NESTED_STATE", "State of a nested hypervisor (KVM_GET_NESTED_STATE)") { state in
      state.nestedState.map { .words($0.summary) }
    },
  ]
}

extension [MachineSettings.EnabledCapability] {
  /// The capabilities with their arguments, in order.
  var words: String {
    isEmpty
      ? "none"
      : map { enabled in
        let last = enabled.arguments.lastIndex { $0 != 0 } ?? 0
        return
          "\(enabled.capability.name)(\(enabled.arguments.prefix(last + 1).map { hex($0) }.joined(separator: ", ")))"
      }.joined(separator: ", ")
  }
}

extension [UInt8] {
  /// What tells two areas apart: size, and a 64-bit FNV-1a sum.
  var summary: String {
    var sum: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in self { sum = (sum ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return "\(count) bytes, sum \(hex(sum, digits: 16))"
  }
}
