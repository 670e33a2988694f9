extension Inspection {
  /// The state for a person.
  public func text(_ style: Style = Style()) -> String {
    var lines = kind == .machine ? machineLines(style) : []
    for vcpu in vcpus { lines += vcpu.lines(style) + [""] }
    lines += chipLines(style)
    let table = LineReport.lines(self.lines)
    if !table.isEmpty { lines += [style.bold("lines") + ": where each GSI leads"] + table + [""] }
    lines += eventLines(style)
    while lines.last == "" { lines.removeLast() }
    return lines.joined(separator: "\n")
  }

  private func machineLines(_ style: Style) -> [String] {
    func value(_ name: String) -> String { registers(named: name).first?.register.value ?? "" }
    let guest = value("GUEST").isEmpty ? "machine" : value("GUEST")
    let memory = UInt64(value("MEMORY")).map { Units.bytes($0) } ?? value("MEMORY")
    var lines = [
      style.bold(guest) + ": \(Units.count(Int(value("VCPUS")) ?? 0, "vCPU")), \(memory), irqchip \(value("IRQCHIP"))"
    ]
    if !value("HOST").isEmpty { lines.append("  taken on \(value("HOST"))") }
    if value("CAPABILITIES") != "none" { lines.append("  capabilities \(value("CAPABILITIES"))") }
    if let file = registers(named: "MEMORY_FILE").first?.register { lines.append("  memory in \(file.value), \(file.meaning)") }
    return lines + [""]
  }

  private func eventLines(_ style: Style) -> [String] {
    guard let events = groups.first(where: { $0.name == "events" }) else { return [] }
    var table = LeftTable()
    for register in events.registers { table.add([register.title, register.value, register.meaning]) }
    return [style.bold("events")] + table.lines() + [""]
  }

  /// The registers with a name, in upper or lower case, each with whose it is.
  public func registers(named name: String) -> [NamedRegister] {
    let wanted = RegisterName.canonical(name)
    var found: [NamedRegister] = []
    for vcpu in vcpus {
      let owner = vcpu.index.map { "vCPU \($0)" } ?? "local APIC"
      for group in vcpu.groups {
        for register in group.registers where register.name.uppercased() == wanted {
          found.append(NamedRegister(owner: owner, register: register))
        }
      }
    }
    for group in groups {
      for register in group.registers {
        let names = [register.name.uppercased(), "\(group.name) \(register.name)".uppercased()]
        if names.contains(wanted) { found.append(NamedRegister(owner: group.name, register: register)) }
      }
    }
    return found
  }
}

/// A register and whose it is.
public struct NamedRegister: Codable, Hashable, Sendable {
  /// Whose, such as `vCPU 0`.
  public var owner: String
  /// The register.
  public var register: RegisterReport
}

/// Other names that people have for registers.
enum RegisterName {
  private static let others = [
    "SPIV": "SVR", "LVTT": "LVT_TIMER", "LVT0": "LVT_LINT0", "LVT1": "LVT_LINT1", "LVTPC": "LVT_PERFMON",
    "LVTERR": "LVT_ERROR", "LVTTHMR": "LVT_THERMAL", "TMICT": "INITIAL_COUNT", "TMCCT": "CURRENT_COUNT",
    "TDCR": "DIVIDE", "DCR": "DIVIDE", "APIC_BASE": "IA32_APIC_BASE", "EFER": "IA32_EFER", "APICID": "ID",
    "TSC": "IA32_TSC", "TSC_DEADLINE": "IA32_TSC_DEADLINE",
  ]

  /// The name as this program has it: `lvt-timer` and `LVTT` are `LVT_TIMER`.
  static func canonical(_ name: String) -> String {
    let name = String(name.uppercased().map { $0 == "-" || $0 == "." ? "_" : $0 })
    return others[name] ?? name
  }
}
