import APIC

extension VCPUStateReport {
  private static let rows = [
    ["rip", "rsp", "rflags"], ["rax", "rbx", "rcx", "rdx"], ["rsi", "rdi", "rbp", "r8"], ["r9", "r10", "r11", "r12"],
    ["r13", "r14", "r15"], ["cr0", "cr2", "cr3", "cr4"], ["cr8", "efer", "cs", "cs.base"],
  ]

  /// The registers and the local APIC, for a person.
  func lines(_ style: Style) -> [String] {
    var lines = [style.bold("vCPU \(vcpu)") + ": \(state)"]
    for row in Self.rows {
      lines.append(
        "  " + row.map { "\($0.padded(to: 3)) \(hex(registers[$0] ?? 0, digits: 16))" }.joined(separator: "  "))
    }
    let apic = localAPIC
    lines.append(
      "  local APIC \(apic.id): \(apic.mode), \(apic.isSoftwareEnabled ? "enabled" : "disabled by software"), "
        + "TPR \(hex(apic.taskPriority, digits: 2)), PPR \(hex(apic.processorPriority, digits: 2))")
    lines.append("  IRR \(vectors(apic.interruptRequest)), ISR \(vectors(apic.inService))")
    lines.append("  timer count \(apic.currentCount) of \(apic.initialCount)")
    for (name, entry) in apic.localVectorTable.sorted(by: { $0.key < $1.key }) {
      lines.append("  LVT \(name): \(entry)")
    }
    return lines
  }

  private func vectors(_ list: [UInt8]) -> String {
    "{" + list.map { hex($0, digits: 2) }.joined(separator: ", ") + "}"
  }
}
