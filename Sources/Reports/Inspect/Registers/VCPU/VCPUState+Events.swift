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

extension VCPUState {
  /// The model-specific and extended control registers.
  var modelRegisters: [RegisterReport] {
    extendedControlRegisters.map { register in
      RegisterReport(
        name: "XCR\(register.number)", title: "Extended control register \(register.number)",
        value: hex(register.value, digits: 16), meaning: "")
    }
      + msrs.map { entry in
        // The APIC base is with the special registers; this is what KVM_GET_MSRS says of it.
        let name = MSRName.of(entry.index)
        return RegisterReport(
          name: name.map { $0.short } ?? "MSR_\(hex(entry.index))", title: name?.title ?? "MSR \(hex(entry.index))",
          value: hex(entry.value, digits: 16), meaning: meaning(of: entry),
          movesWithTime: MSRName.movesWithTime(entry.index) ? true : nil)
      }
  }

  private func meaning(of entry: MSREntry) -> String {
    switch entry.index {
    case MSR.tscDeadline: return entry.value == 0 ? "disarmed" : ""
    case MSR.apicBase: return APICBase(rawValue: entry.value).mode.words
    case MSR.systemTime, MSR.pvEOI, MSR.asyncPF, MSR.stealTime:
      return entry.value & 1 == 0 ? "off" : "on, at \(hex(entry.value & ~0x3f))"
    case MSR.asyncPFInterrupt: return entry.value == 0 ? "" : "vector \(hex(entry.value & 0xff, digits: 2))"
    default: return ""
    }
  }

  /// What CPUID answers, a leaf a register.
  var cpuidRegisters: [RegisterReport] {
    cpuid.map { entry in
      let index = entry.hasSignificantIndex || entry.index != 0 ? ".\(hex(entry.index))" : ""
      let words = [entry.eax, entry.ebx, entry.ecx, entry.edx].map { hex($0, digits: 8) }.joined(separator: " ")
      return RegisterReport(
        name: "CPUID_\(hex(entry.function))\(index)",
        title: "CPUID leaf \(hex(entry.function))\(index): EAX EBX ECX EDX",
        value: words, meaning: "")
    }
  }
}

/// Names of model-specific registers (SDM volume 4; kernel documentation, virt/kvm/x86/msr.rst).
struct MSRName {
  let short: String
  let title: String

  static func of(_ index: UInt32) -> MSRName? { names[index] }

  static func movesWithTime(_ index: UInt32) -> Bool { index == MSR.tsc }

  private static let names: [UInt32: MSRName] = {
    var names: [UInt32: MSRName] = [:]
    for (index, short, title) in known { names[index] = MSRName(short: short, title: title) }
    return names
  }()

  private static let known: [(UInt32, String, String)] = [
    (MSR.tsc, "IA32_TSC", "Time-Stamp Counter"), (MSR.apicBase, "MSR_APIC_BASE", "IA32_APIC_BASE by KVM_GET_MSRS"),
    (0x3a, "IA32_FEATURE_CONTROL", "Control Features in Intel 64 Processor"),
    (MSR.tscAdjust, "IA32_TSC_ADJUST", "Per-thread TSC adjustment"), (0x48, "IA32_SPEC_CTRL", "Speculation control"),
    (0x174, "IA32_SYSENTER_CS", "SYSENTER CS"), (0x175, "IA32_SYSENTER_ESP", "SYSENTER ESP"),
    (0x176, "IA32_SYSENTER_EIP", "SYSENTER EIP"), (0x1a0, "IA32_MISC_ENABLE", "Processor features"),
    (0x277, "IA32_PAT", "Page attribute table"),
    (MSR.tscDeadline, "IA32_TSC_DEADLINE", "Target time of the local APIC timer's TSC-deadline mode"),
    (0xda0, "IA32_XSS", "Extended supervisor state"), (MSR.efer, "MSR_EFER", "IA32_EFER by KVM_GET_MSRS"),
    (0xc000_0081, "IA32_STAR", "SYSCALL target"), (0xc000_0082, "IA32_LSTAR", "SYSCALL target, 64-bit"),
    (0xc000_0083, "IA32_CSTAR", "SYSCALL target, compatibility mode"), (0xc000_0084, "IA32_FMASK", "SYSCALL flag mask"),
    (0xc000_0100, "IA32_FS_BASE", "FS base"), (MSR.gsBase, "IA32_GS_BASE", "GS base"),
    (0xc000_0102, "IA32_KERNEL_GS_BASE", "Swap target of GS base"), (0xc000_0103, "IA32_TSC_AUX", "RDTSCP's processor"),
    (0x11, "MSR_KVM_WALL_CLOCK", "kvmclock: wall clock, old number"),
    (0x12, "MSR_KVM_SYSTEM_TIME", "kvmclock: system time, old number"),
    (MSR.wallClock, "MSR_KVM_WALL_CLOCK_NEW", "kvmclock: wall clock"),
    (MSR.systemTime, "MSR_KVM_SYSTEM_TIME_NEW", "kvmclock: system time"),
    (MSR.asyncPF, "MSR_KVM_ASYNC_PF_EN", "Asynchronous page faults"),
    (MSR.stealTime, "MSR_KVM_STEAL_TIME", "Steal time"), (MSR.pvEOI, "MSR_KVM_PV_EOI_EN", "Paravirtual EOI"),
    (MSR.pollControl, "MSR_KVM_POLL_CONTROL", "Polling by the host"),
    (MSR.asyncPFInterrupt, "MSR_KVM_ASYNC_PF_INT", "Asynchronous page faults: vector"),
    (MSR.asyncPFAcknowledge, "MSR_KVM_ASYNC_PF_ACK", "Asynchronous page faults: acknowledgement"),
  ]
}
