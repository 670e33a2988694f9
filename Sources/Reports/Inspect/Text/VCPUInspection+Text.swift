import APIC
import Support

extension VCPUInspection {
  /// The vCPU for a person.
  func lines(_ style: Style) -> [TextLine] {
    var lines = deliveryLines(style)
    let map = VectorMap(requested: interruptRequest ?? [], inService: inService ?? [], levels: triggerModes ?? [])
    if !map.isEmpty {
      lines.append(row("vectors", style.dim("\(VectorMap.legend)")))
      lines += map.lines(indent: Self.width + 4)
    }
    for name in Self.shown {
      guard let register = register(name) else { continue }
      var words = register.words
      // A register that is all 0 has not been written.
      if name == "ICR", let commandRecipients, register.value.contains(where: { !"0x".contains($0) }) {
        words += " -> \(commandRecipients.text)"
      }
      lines.append(row(name, "\(words)"))
    }
    if let timer {
      lines.append(row("timer", "\(timer.mode), vector \(hex(timer.vector, digits: 2)): \(timer.text)"))
      lines.append(row("", "\(timerRegisters)"))
    }
    lines += modelRows
    if let vapic { lines.append(row("vAPIC", "\(vapic.text)")) }
    if let reporting = register("TPR_ACCESS_REPORTING"), reporting.value == "on" {
      lines.append(row("TPR", "accesses leave to user space (KVM_TPR_ACCESS_REPORTING)"))
    }
    lines += execution
    if let notKnown { lines.append(row("not known", "\(notKnown.joined(separator: ", "))")) }
    return lines
  }

  /// What the vCPU takes next and what waits, with what that depends on in its local APIC.
  func deliveryLines(_ style: Style) -> [TextLine] {
    var lines = [heading(style)]
    lines += delivery.rows(nothing: nothing, style).map { row($0.label, $0.text) }
    lines.append(row("priority", "\(priorities)"))
    for name in ["IRR", "ISR", "TMR"] {
      if let register = register(name) { lines.append(row(name, "\(register.words)")) }
    }
    return lines
  }

  /// What a person reads where nothing is to be taken.
  private var nothing: String {
    guard interruptRequest != nil else { return "not known: the IRR is not in this file" }
    return state?.nothingToTake ?? "nothing"
  }

  /// How wide the column with names is.
  private static let width = 14

  private static let shown = [
    "IA32_APIC_BASE", "ID", "VERSION", "SVR", "LDR", "DFR", "ESR", "ICR", "LVT_TIMER", "LVT_LINT0", "LVT_LINT1",
    "LVT_ERROR", "LVT_PERFMON", "LVT_THERMAL", "LVT_CMCI",
  ]

  private func row(_ label: String, _ text: TextLine) -> TextLine {
    "  \(TextLine(label).padded(to: Self.width))  \(text)"
  }

  private func heading(_ style: Style) -> TextLine {
    let name = index.map { "vCPU \($0)" } ?? "local APIC"
    let processor = isBootstrapProcessor == true ? ", bootstrap processor" : ""
    let software = isSoftwareEnabled == false ? ", disabled by software" : ""
    let id = id.map { "APIC id \($0)" } ?? "APIC id not known"
    let words = mode == "not known" ? "mode not known" : mode
    return style.bold("\(name)") + ": \(state.map { "\($0), " } ?? "")\(words), \(id)\(processor)\(software)"
  }

  private var priorities: String {
    guard let taskPriority, let processorPriority else {
      return taskPriority.map { "TPR \(hex($0, digits: 2)), PPR not known" } ?? "not known"
    }
    let current = hex(processorPriority, digits: 2)
    let arbitration = register("APR")?.value ?? "not known"
    var words = "TPR \(hex(taskPriority, digits: 2)), PPR \(current), APR \(arbitration)"
    if let page = register("PPR"), page.value != current { words += "; the page's PPR is \(page.value)" }
    return words + (processorPriority < 0x10 ? "" : ": vectors up to \(hex(processorPriority | 0xf, digits: 2)) wait")
  }

  /// The model-specific registers that interrupts depend on, those that are 0 left out.
  private var modelRows: [TextLine] {
    let names = [
      "IA32_TSC", "IA32_TSC_ADJUST", "IA32_TSC_DEADLINE", "MSR_KVM_SYSTEM_TIME_NEW", "MSR_KVM_PV_EOI_EN",
      "MSR_KVM_ASYNC_PF_EN", "MSR_KVM_ASYNC_PF_INT", "MSR_KVM_STEAL_TIME", "MSR_KVM_POLL_CONTROL",
    ]
    let registers = groups.first { $0.name == "model" }?.registers ?? []
    let shown = names.compactMap { name in
      registers.first { $0.name == name && $0.value.contains { !"0x".contains($0) } }.map { "\(name) \($0.words)" }
    }
    return shown.enumerated().map { row($0.offset == 0 ? "MSRs" : "", "\($0.element)") }
  }

  private var timerRegisters: String {
    ["INITIAL_COUNT", "CURRENT_COUNT", "DIVIDE"].compactMap { name in
      register(name).map { "\($0.name) \($0.value)" }
    }.joined(separator: ", ")
  }

  /// What the processor is at.
  private var execution: [TextLine] {
    let registers = ["RIP", "RFLAGS", "CR0", "CR8"].compactMap { name in
      register(name).map { "\(name) \($0.value)" + ($0.meaning.isEmpty ? "" : " (\($0.meaning))") }
    }
    var lines = registers.isEmpty ? [] : [row("processor", registers.lines.joined(separator: ", "))]
    guard register("INTERRUPT") != nil else { return lines }
    let events = ["EXCEPTION", "INTERRUPT", "SHADOW", "NMI", "SMI"].compactMap { name -> String? in
      guard let register = register(name), register.value != "none" else { return nil }
      return "\(name) \(register.value)\(register.meaning.isEmpty ? "" : " (\(register.meaning))")"
    }
    lines.append(row("events", events.isEmpty ? "none" : events.lines.joined(separator: ", ")))
    return lines
  }

  /// The register with that name.
  func register(_ name: String) -> RegisterReport? {
    for group in groups {
      if let register = group.registers.first(where: { $0.name == name }) { return register }
    }
    return nil
  }
}

extension DeliveryReport {
  /// What comes next, and what waits for what.
  func rows(nothing: String, _ style: Style) -> [(label: String, text: TextLine)] {
    var rows: [(String, TextLine)] = []
    let wake: TextLine = wakes == true ? ", which ends the halt" : ""
    rows.append(("next", next.map { style.green("\($0.text)") + wake } ?? "\(nothing)"))
    for event in waiting {
      let reasons = event.obstacles.map(\.text).joined(separator: "; ")
      rows.append(("waits", "\(style.yellow("\(event.text)")): \(reasons)"))
    }
    return rows
  }
}

/// The 256 vectors as a drawing: eight lines of 32, which are two priority classes each.
struct VectorMap {
  /// What the letters mean.
  static let legend =
    "r requested, s in service, b both, capital: level-triggered; t: level-triggered when last accepted"

  private var marks = [Character](repeating: ".", count: 256)

  init(requested: [UInt8], inService: [UInt8], levels: [UInt8]) {
    for vector in requested { marks[Int(vector)] = "r" }
    for vector in inService { marks[Int(vector)] = marks[Int(vector)] == "r" ? "b" : "s" }
    for vector in levels {
      switch marks[Int(vector)] {
      case "r": marks[Int(vector)] = "R"
      case "s": marks[Int(vector)] = "S"
      case "b": marks[Int(vector)] = "B"
      default: marks[Int(vector)] = "t"
      }
    }
  }

  /// Whether no vector has a mark.
  var isEmpty: Bool { !marks.contains { $0 != "." } }

  /// The drawing.
  func lines(indent: Int) -> [TextLine] {
    let margin = TextLine(blanks: indent)
    return stride(from: 0, to: 256, by: 32).map { first in
      let halves = [marks[first..<first + 16], marks[first + 16..<first + 32]].map { String($0) }
      return "\(margin)\(hex(first, digits: 2)) \(halves.joined(separator: " "))"
    }
  }
}
