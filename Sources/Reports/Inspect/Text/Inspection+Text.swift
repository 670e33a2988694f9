import Support

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
    let memory = UInt64(value("MEMORY")).map { "\(ByteSize(bytes: $0))" } ?? value("MEMORY")
    var lines = [
      style.bold(guest) + ": \(Units.count(Int(value("VCPUS")) ?? 0, "vCPU")), \(memory), irqchip \(value("IRQCHIP"))"
    ]
    if !value("HOST").isEmpty { lines.append("  taken on \(value("HOST"))") }
    if value("CAPABILITIES") != "none" { lines.append("  capabilities \(value("CAPABILITIES"))") }
    if let file = registers(named: "MEMORY_FILE").first?.register {
      lines.append("  memory in \(file.value), \(file.meaning)")
    }
    return lines + [""]
  }

  private func eventLines(_ style: Style) -> [String] {
    guard let events = groups.first(where: { $0.name == "events" }) else { return [] }
    var table = LeftTable()
    for register in events.registers { table.add([register.title, register.value, register.meaning]) }
    return [style.bold("events")] + table.lines() + [""]
  }
}
