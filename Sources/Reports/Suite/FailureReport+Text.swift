import APIC

extension FailureReport {
  /// The counters that tell how interrupts got into the guest, and why it was left.
  private static let importantCounters = RunReport.importantStatistics + ["req_event", "blocking"]

  /// How many of the last lines that a unit test printed are shown.
  private static let shownLines = 8

  /// What was seen, for a person: interrupts, counters, registers and local APICs.
  func lines(_ style: Style) -> [String] {
    var lines: [String] = []
    if let console {
      lines += [style.bold("it printed, at the end")]
      lines += console.split(whereSeparator: \.isNewline).suffix(Self.shownLines).map { "  " + $0 }
    } else {
      lines.append(style.bold("interrupts taken") + ": " + interruptText)
    }
    if !counters.isEmpty { lines += [style.bold("statistics")] + counterTable.lines() }
    for vcpu in vcpus { lines += vcpu.lines(style) }
    return lines
  }

  private var interruptText: String {
    guard !interrupts.isEmpty else { return "none" }
    return interrupts.map { "vCPU \($0.vcpu) \(hex($0.vector, digits: 2)) x \($0.count)" }.joined(separator: ", ")
  }

  private var counterTable: Table {
    let known = Set(counters.flatMap(\.keys))
    var table = Table()
    table.add([""] + counters.indices.map { "vCPU \($0)" })
    for name in Self.importantCounters where known.contains(name) {
      table.add([name] + counters.map { "\($0[name] ?? 0)" })
    }
    return table
  }
}
