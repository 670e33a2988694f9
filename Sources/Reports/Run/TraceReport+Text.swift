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
    var lines: [TextLine] = journeys.isEmpty ? ["  the guest wrote down no interrupt"] : table.lines()
    if journeys.count > Self.shown {
      lines.append("  and \(journeys.count - Self.shown) more, which --format json has")
    }
    if lostEvents > 0 {
      lines.append(style.yellow("note: ") + "the trace lost \(lostEvents) events: they were too many")
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
      Column(title: "accepted", isAlwaysShown: true) { $0.accepted.map(Units.time) ?? "" },
      Column(title: "posted") { $0.span(to: $0.posted) },
      Column(title: "woken") { $0.span(to: $0.wokenUp) },
      Column(title: "injected") { $0.span(to: $0.injected) },
      Column(title: "taken", isAlwaysShown: true) { $0.accepted == nil ? Units.time($0.taken) : $0.span(to: $0.taken) },
      Column(title: "EOI") { $0.span(to: $0.ended) },
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
      case .localAPIC: "local APIC"
      case nil: "not seen"
      }
    return coalesced == 0 ? words : "\(words), \(coalesced + 1) in one"
  }

  /// How long after its acceptance something was; empty where either was not seen.
  fileprivate func span(to time: Int64?) -> String {
    guard let time, let accepted else { return "" }
    let nanoseconds = Double(time - accepted)
    return (nanoseconds < 0 ? "" : "+") + Units.shortTime(nanoseconds)
  }
}

extension JourneyReport {
  /// How it got there, for a person: what the hardware delivered was posted into the running guest, or delivered at an entry.
  fileprivate var way: String {
    switch (path, stayedInGuest) {
    case (nil, _): "not seen"
    case (.posted?, _): "posted into the running guest"
    case (.virtualDelivery?, false?):
      "virtual-interrupt delivery at entry" + (exit.map { ", after \($0)" } ?? "")
    case (let path?, _): path.rawValue
    }
  }
}
