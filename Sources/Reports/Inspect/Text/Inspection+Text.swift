import APIC
import ForeignStates
import Support

extension Inspection {
  /// The state for a person.
  public func text(_ style: Style = Style()) -> String {
    var lines: [TextLine] =
      kind == .page ? [] : format == nil ? machineLines(style) : foreignLines(style)
    lines += FindingsReport.lines(findings, style)
    for vcpu in vcpus { lines += vcpu.lines(style) + [""] }
    lines += chipLines(style)
    let table = LineReport.lines(self.lines)
    if !table.isEmpty { lines += [style.bold("lines") + ": where each GSI leads"] + table + [""] }
    lines += eventLines(style)
    while lines.last == "" { lines.removeLast() }
    return lines.text
  }

  private func machineLines(_ style: Style) -> [TextLine] {
    func value(_ name: String) -> String { registers(named: name).first?.register.value ?? "" }
    let guest = value("GUEST").isEmpty ? "machine" : value("GUEST")
    let memory = UInt64(value("MEMORY")).map { "\(ByteSize(bytes: $0))" } ?? value("MEMORY")
    var lines: [TextLine] = [
      style.bold("\(guest)")
        + ": \(Units.count(Int(value("VCPUS")) ?? 0, "vCPU")), \(memory), irqchip \(value("IRQCHIP"))"
    ]
    if !value("HOST").isEmpty { lines.append("  taken on \(value("HOST"))") }
    if value("CAPABILITIES") != "none" { lines.append("  capabilities \(value("CAPABILITIES"))") }
    if let file = registers(named: "MEMORY_FILE").first?.register {
      lines.append("  memory in \(file.value), \(file.meaning)")
    }
    return lines + [""]
  }

  /// What is said of a state of another program's, which names little of what Lapwing's own do.
  private func foreignLines(_ style: Style) -> [TextLine] {
    let guest = registers(named: "GUEST").first?.register.value ?? ""
    let name = guest.isEmpty ? "machine" : guest
    var lines: [TextLine] = [
      style.bold("\(name)") + ": \(Units.count(vcpus.count, "vCPU")), from \(format?.words ?? "nothing")"
    ]
    for remark in remarks ?? [] { lines.append("  \(remark)") }
    if let notKnown { lines.append("  not known: \(notKnown.joined(separator: ", "))") }
    return lines + [""]
  }

  private func eventLines(_ style: Style) -> [TextLine] {
    guard let events = groups.first(where: { $0.name == "events" }) else { return [] }
    var table = LeftTable()
    for register in events.registers { table.add([register.title, register.value, register.meaning].lines) }
    return [style.bold("events")] + table.lines() + [""]
  }
}

extension Inspection {
  /// The chips for a person: the redirection table, the PICs and the interval timer.
  func chipLines(_ style: Style) -> [TextLine] {
    ioapicLines(style) + picLines(style) + pitLines(style)
  }

  func ioapicLines(_ style: Style) -> [TextLine] {
    guard let group = group("IOAPIC") else { return [] }
    let head: [TextLine] = group.registers.filter { !$0.name.hasPrefix("REDTBL") }.map { register in
      "\(register.name) \(register.value)" + (register.meaning.isEmpty ? "" : " (pins \(register.meaning))")
    }
    var table = LeftTable()
    table.add(["pin", "entry", "meaning", "leads to"])
    var run: (first: Int, last: Int, entry: RegisterReport)?
    func flush() {
      guard let (first, last, entry) = run else { return }
      let name = first == last ? "\(first)" : "\(first)-\(last)"
      table.add([name, entry.value, entry.meaning, first == last ? end(ofPin: first) : ""].lines)
    }
    for (pin, entry) in group.registers.filter({ $0.name.hasPrefix("REDTBL") }).enumerated() {
      // Masked pins with the same entry lead nowhere all alike.
      if let (first, _, last) = run, last.value == entry.value, entry.meaning.hasSuffix("masked") {
        run = (first, pin, entry)
      } else {
        flush()
        run = (pin, pin, entry)
      }
    }
    flush()
    return [style.bold("IOAPIC") + ": \(head.joined(separator: ", "))"] + table.lines() + [""]
  }

  private func end(ofPin pin: Int) -> String {
    for line in lines {
      if let way = line.ways.first(where: { $0.through == .ioapic && $0.pin == pin }) {
        return way.obstacle == LineReport.Way.masked ? "" : way.end
      }
    }
    return "no GSI leads here"
  }

  func picLines(_ style: Style) -> [TextLine] {
    guard let pic else { return [] }
    let listeners = pic.listeners.isEmpty ? "no vCPU listens" : "vCPU \(Pins.ranges(pic.listeners)) listens"
    let request =
      pic.requestedLine.map { "asks for line \($0), vector \(hex(pic.requestedVector ?? 0, digits: 2))" }
      ?? "asks for nothing"
    var table = LeftTable()
    let names = [
      "IRR", "IMR", "ISR", "ELCR", "ICW2", "PRIORITY_ADD", "READ_SELECT", "SFNM", "AEOI", "SMM", "INIT_STATE",
    ]
    table.add(["chip"] + names.lines)
    for number in [0, 1] {
      guard let group = group("PIC \(number)") else { continue }
      let values = names.map { name in group.registers.first { $0.name == name }?.value ?? "" }
      table.add(["\(number)"] + values.lines)
    }
    return [style.bold("PIC") + ": \(request); \(listeners)"] + table.lines() + [""]
  }

  private func pitLines(_ style: Style) -> [TextLine] {
    guard let pit else { return [] }
    var table = LeftTable()
    table.add(["channel", "mode", "count", "gate", "period", "fires in"])
    for channel in pit {
      let cells = [
        "\(channel.channel)", channel.mode, "\(channel.count)", channel.gate ? "1" : "0",
        channel.period.map(Units.span) ?? "-", channel.remaining.map(Units.span) ?? "-",
      ]
      table.add(cells.lines)
    }
    return [style.bold("PIT")] + table.lines() + [""]
  }

  private func group(_ name: String) -> RegisterGroup? { groups.first { $0.name == name } }
}

extension Inspection {
  /// A part of the state that is shown by itself.
  public enum Part: Hashable, Sendable {
    /// A vCPU with its local APIC.
    case localAPIC(vcpu: Int)
    /// What a vCPU takes next, and what holds the rest back.
    case delivery(vcpu: Int)
    /// The IOAPIC.
    case ioapic
    /// The PICs.
    case pic
  }

  /// A part of the state for a person.
  ///
  /// - Returns: the text, without a newline at its end; nil where the machine has no such part.
  public func text(of part: Part, _ style: Style = Style()) -> String? {
    var lines =
      switch part {
      case .localAPIC(let vcpu): inspection(of: vcpu)?.lines(style) ?? []
      case .delivery(let vcpu): inspection(of: vcpu)?.deliveryLines(style) ?? []
      case .ioapic: ioapicLines(style)
      case .pic: picLines(style)
      }
    while lines.last?.isEmpty == true { lines.removeLast() }
    return lines.isEmpty ? nil : lines.text
  }

  private func inspection(of vcpu: Int) -> VCPUInspection? { vcpus.first { $0.index == vcpu } }
}
