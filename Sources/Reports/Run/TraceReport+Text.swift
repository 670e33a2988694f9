import APIC
import Evidence
import Support

extension RunReport.TraceReport {
  /// How many journeys a person is shown; a document has all.
  private static let shown = 100

  /// A line an interrupt: when it was accepted, and how long after that everything else was.
  func lines(_ style: Style) -> [TextLine] {
    let columns = Column.all.filter { column in column.isAlwaysShown || journeys.contains { column.cell($0) != "" } }
    var table = Table()
    table.add(columns.map(\.title).lines)
    for journey in journeys.prefix(Self.shown) { table.add(columns.map { $0.cell(journey) }.lines) }
    var lines: [TextLine] = journeys.isEmpty ? ["  no interrupt was seen"] : table.lines()
    if journeys.count > Self.shown {
      lines.append("  and \(journeys.count - Self.shown) more, which --format json has")
    }
    if lostEvents > 0 {
      lines.append(style.yellow("note: ") + "the trace lost \(lostEvents) events: they were too many")
    }
    if unknownEvents > 0 {
      lines.append(style.yellow("note: ") + "the trace has \(unknownEvents) events that mean nothing here")
    }
    if !absentEvents.isEmpty {
      lines.append(style.yellow("note: ") + "this kernel has no \(absentEvents.joined(separator: ", "))")
    }
    return lines
  }

  /// A column of that table. One in which nothing would stand is left out.
  private struct Column: Sendable {
    let title: String
    var isAlwaysShown = false
    let cell: @Sendable (JourneyReport) -> String

    static let all = [
      Column(title: "vector", isAlwaysShown: true) { hex($0.vector, digits: 2) },
      Column(title: "vCPU", isAlwaysShown: true) { "\($0.vcpu)" },
      Column(title: "from", isAlwaysShown: true) { $0.origin },
      Column(title: "accepted", isAlwaysShown: true) { $0.cell(\.accepted) },
      Column(title: "posted") { $0.cell(\.posted) },
      Column(title: "woken") { $0.cell(\.wokenUp) },
      Column(title: "injected") { $0.cell(\.injected) },
      Column(title: "taken") { $0.cell(\.taken) },
      Column(title: "EOI") { $0.cell(\.ended) },
      Column(title: "way", isAlwaysShown: true) { $0.way },
    ]
  }
}

extension JourneyReport {
  /// What it came from, in words.
  fileprivate var origin: String {
    let words =
      switch source {
      case .ipi: sender.map { $0 == vcpu ? "itself" : "vCPU \($0)" } ?? "an IPI"
      case .message: "a message"
      case .line: "line \(gsi ?? 0)"
      case .heldLine: "pin \(pin ?? 0), still high"
      case .localAPIC: entry.map { $0 == "timer" ? "local timer" : "local APIC, \($0)" } ?? "local APIC"
      case nil: "not seen"
      }
    return coalesced == 0 ? words : "\(words), \(coalesced + 1) in one"
  }

  /// A moment: how long after the first that was seen; of that itself, when it was. Empty where it was not seen.
  fileprivate func cell(_ moment: KeyPath<JourneyReport, Int64?>) -> String {
    let order = [\JourneyReport.accepted, \.posted, \.injected, \.taken, \.ended, \.wokenUp]
    guard let time = self[keyPath: moment], let first = order.first(where: { self[keyPath: $0] != nil }),
      let start = self[keyPath: first]
    else { return "" }
    guard first != moment else { return Units.time(time) }
    let nanoseconds = Double(time - start)
    return (nanoseconds < 0 ? "" : "+") + Units.shortTime(nanoseconds)
  }
}

extension JourneyReport {
  /// How it got there, for a person: what the hardware delivered was posted into the running guest, or delivered at an entry.
  fileprivate var way: String {
    let words =
      switch (path, stayedInGuest) {
      case (nil, _): "not seen"
      case (.posted?, _): "posted into the running guest"
      case (.virtualDelivery?, false?):
        "virtual-interrupt delivery at entry" + (exit.map { ", after \($0)" } ?? "")
      case (let path?, _): path.rawValue
      }
    return isPathConcluded == true ? words + " (concluded)" : words
  }
}
