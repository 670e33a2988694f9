import APIC
public import Support
import VMM

extension RunReport.MachineReport {
  /// What it is, in a line: `2 vCPUs, 64 MiB, x2APIC, irqchip in the kernel, kvm_intel`.
  public var text: TextLine {
    [
      "\(Units.count(vcpus, "vCPU"))", "\(ByteSize(bytes: memory))", apic == .x2APIC ? "x2APIC" : "xAPIC",
      irqchip == .kernel ? "irqchip in the kernel" : "split irqchip", "\(backEnd)",
    ].joined(separator: ", ")
  }
}

extension RecordReport {
  /// A line for a person who watches: marks, checks and figures. Interrupts are for the summary.
  public func line(_ style: Style = Style()) -> TextLine? {
    let place = style.dim(TextLine(Units.time(time)).padded(to: 10, left: true) + "  vCPU \(vcpu)  ")
    switch kind {
    case .mark: return place + style.bold("\(label ?? "")")
    case .check:
      let seen: TextLine = holds == true || saw == nil || saw == 0 ? "" : " (saw \(saw ?? 0))"
      let verdict = holds == true ? style.green("ok    ") : style.red("FAILED")
      return place + "  \(verdict) \(label ?? "")\(seen)"
    case .value: return place + "  \(label ?? ""): \(value ?? 0)"
    case .exception:
      return place + style.red(exceptionLine())
    case .unknown: return place + style.yellow("a record of unknown kind \(value ?? 0)")
    case .interrupt: return nil
    }
  }
}

extension RunReport {
  /// The statistics that a person looks at first: what left the guest, and how interrupts got in.
  static let importantStatistics = [
    "exits", "io_exits", "mmio_exits", "irq_injections", "nmi_injections", "irq_window_exits", "halt_exits",
    "halt_wakeup",
  ]

  /// The summary for a person.
  ///
  /// - Parameters:
  ///   - style: plain or with colour.
  ///   - allStatistics: every statistic that this kernel has, not only the important ones.
  public func text(_ style: Style = Style(), allStatistics: Bool = false) -> String {
    var lines: [TextLine] = []
    if !interrupts.isEmpty { lines += ["", style.bold("interrupts taken")] + interruptTable.lines() }
    if let injections { lines += ["", style.bold("injected")] + injections.lines() }
    if let trace { lines += ["", style.bold("how they got there")] + trace.lines(style) }
    lines += ["", style.bold("statistics")] + statisticsTable(all: allStatistics).lines()
    if let failure {
      lines += ["", style.bold("where it stood")] + failure.lines(style)
      for vcpu in vcpus { lines += [""] + vcpu.lines(style) }
    }
    lines += [""] + notes(style) + [verdict(style)]
    return lines.text
  }

  private var vcpuHeader: [TextLine] { (0..<machine.vcpus).map { "vCPU \($0)" } }

  private var interruptTable: Table {
    var table = Table()
    table.add(["vector"] + vcpuHeader + ["first", "last"])
    for vector in Set(interrupts.map(\.vector)).sorted() {
      let counts = interrupts.filter { $0.vector == vector }
      let cells: [TextLine] = (0..<machine.vcpus).map { vcpu in "\(counts.first { $0.vcpu == vcpu }?.count ?? 0)" }
      table.add(
        ["\(hex(vector, digits: 2))"] + cells
          + ["\(Units.time(counts.map(\.first).min() ?? 0))", "\(Units.time(counts.map(\.last).max() ?? 0))"])
    }
    return table
  }

  private func statisticsTable(all: Bool) -> Table {
    let known = Set(vcpuStatistics.flatMap(\.keys))
    let names = all ? known.sorted() : Self.importantStatistics.filter(known.contains)
    var table = Table()
    table.add([""] + vcpuHeader)
    for name in names { table.add(["\(name)"] + vcpuStatistics.map { "\($0[name] ?? 0)" }) }
    if all {
      for (name, value) in vmStatistics.sorted(by: { $0.key < $1.key }) { table.add(["vm \(name)", "\(value)"]) }
    }
    return table
  }

  private func notes(_ style: Style) -> [TextLine] {
    var notes: [TextLine] = unclaimed.map {
      "\(Units.count($0.count, "access", plural: "accesses")) to unclaimed \($0.bus): "
        + $0.first.lines.joined(separator: "; ")
    }
    notes += (brokenQueues ?? []).lines
    if console.droppedBytes > 0 {
      notes.append("the console's limit was reached: \(console.droppedBytes) bytes are lost")
    }
    if droppedRecords > 0 { notes.append("the guest's log was full: \(droppedRecords) records are lost") }
    return notes.map { style.yellow("note: ") + $0 }
  }

  private func verdict(_ style: Style) -> TextLine {
    var parts: [TextLine] = [success ? style.green("passed") : style.red("FAILED"), "\(outcome.message)"]
    let failed = checks.filter { !$0.holds }
    if let first = failed.first {
      let others: TextLine = failed.count > 1 ? ", the first" : ""
      parts.append("\(failed.count) of \(Units.count(checks.count, "check")) failed\(others): \(first.label)")
    } else if !checks.isEmpty {
      parts.append("\(Units.count(checks.count, "check")) held")
    }
    if !success, let exception = records.first(where: { $0.kind == .exception }) {
      parts.append(exception.exceptionLine())
    }
    if let first = times.firstInstruction { parts.append("first instruction after \(Units.time(first))") }
    parts.append("ended after \(Units.time(times.end))")
    return "\(guest): " + parts.joined(separator: "; ")
  }
}
