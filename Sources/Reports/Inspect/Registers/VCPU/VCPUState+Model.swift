import APIC
import KVM
import MachineState

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
