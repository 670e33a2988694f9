import Support

/// Where a GSI leads, from the line to the vCPU.
public struct LineReport: Codable, Hashable, Sendable {
  /// The GSI.
  public var gsi: UInt32
  /// What raises it, as far as the state says: `irqfd 0`, `PIT`.
  public var sources: [String]
  /// The ways that it takes, one for each route.
  public var ways: [Way]

  /// A way from a GSI to vCPUs.
  public struct Way: Codable, Hashable, Sendable {
    /// What it goes through.
    public var through: Kind
    /// The pin of the IOAPIC or the line of the PIC, which counts from 0 to 15; absent for a message.
    public var pin: Int?
    /// What the entry or the message says.
    public var entry: String
    /// What stops it; absent where nothing does.
    public var obstacle: String?
    /// Whether it is asserted, or sent and not ended.
    public var status: String?
    /// Who gets it; absent where it is stopped.
    public var recipients: Recipients?

    /// Where it ends, for a person.
    var end: String { obstacle ?? recipients?.text ?? "" }
  }

  /// What a GSI goes through.
  public enum Kind: String, Codable, Sendable {
    /// A pin of the IOAPIC.
    case ioapic
    /// A line of the PIC.
    case pic
    /// A message.
    case msi
    /// A synthetic interrupt source of Hyper-V.
    case hyperV = "hyperv"

    /// Its name for a person.
    var words: String {
      switch self {
      case .ioapic: "IOAPIC"
      case .pic: "PIC"
      case .msi: "MSI"
      case .hyperV: "Hyper-V"
      }
    }
  }
}

extension LineReport {
  /// Lines as a table: one row a way, GSIs that read alike as one.
  static func lines(_ reports: [LineReport]) -> [TextLine] {
    guard !reports.isEmpty else { return [] }
    var rows: [Row] = []
    for report in reports {
      let row = Row(report)
      if let last = rows.indices.last, rows[last].joins(row) {
        rows[last].last = report.gsi
      } else {
        rows.append(row)
      }
    }
    var table = LeftTable()
    table.add(["GSI", "through", "entry", "status", "leads to"])
    for row in rows {
      for (place, cells) in row.cells.enumerated() { table.add([place == 0 ? "\(row.name)" : ""] + cells.lines) }
      if !row.sources.isEmpty { table.add(["", "raised by \(row.sources)"]) }
    }
    return table.lines()
  }

  /// What is shown of a GSI.
  private struct Row {
    var first: UInt32
    var last: UInt32
    var cells: [[String]]
    var sources: String

    init(_ report: LineReport) {
      first = report.gsi
      last = report.gsi
      sources = report.sources.joined(separator: ", ")
      cells = report.ways.map { way in
        // A pin with the GSI's own number need not be told.
        let pin = way.pin.map { UInt32($0) == report.gsi ? "" : " \($0)" } ?? ""
        // An entry that is masked may hold anything.
        let entry = way.obstacle == nil || way.through == .msi ? way.entry : ""
        return [way.through.words + pin, entry, way.status ?? "", way.end]
      }
      if cells.isEmpty { cells = [["", "", "", "nowhere: it has no route"]] }
    }

    var name: String { first == last ? "\(first)" : "\(first)-\(last)" }

    func joins(_ next: Row) -> Bool {
      next.first == last + 1 && cells == next.cells && sources.isEmpty && next.sources.isEmpty
    }
  }
}
