import APIC
import KVM
import MachineState
import Support
import VMM

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

    /// What stops it at a pin or a line that is masked.
    static let masked = "masked"

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

extension LineReport {
  /// Where every GSI of a machine leads.
  static func all(of state: MachineState, _ processors: Processors) -> [LineReport] {
    var ways: [UInt32: [Way]] = [:]
    let listeners = PICListeners(state)
    for route in state.routes { ways[route.gsi, default: []].append(Way(route, state, processors, listeners)) }
    if let chip = state.splitIOAPIC {
      // Its pins are lines of the VMM's own, whether KVM has a route for them or not.
      for (pin, entry) in chip.entries.enumerated() {
        var way = Way(pin: pin, entry, processors)
        let isHigh = chip.levels >> UInt32(truncatingIfNeeded: pin) & 1 == 1
        way.status = isHigh ? "high" : way.status
        ways[UInt32(truncatingIfNeeded: pin)] = [way]
      }
    }
    for event in state.irqfds where ways[event.gsi] == nil { ways[event.gsi] = [] }
    return ways.sorted { $0.key < $1.key }.map { gsi, ways in
      LineReport(gsi: gsi, sources: sources(of: gsi, state), ways: ways)
    }
  }

  private static func sources(of gsi: UInt32, _ state: MachineState) -> [String] {
    (gsi == 0 && state.pit != nil ? ["PIT"] : [])
      + state.irqfds.enumerated().filter { $0.element.gsi == gsi }.map { index, event in
        "irqfd \(index)" + (event.words.isEmpty ? "" : " (\(event.words))")
      }
  }
}

/// The vCPUs that take the PIC's interrupts.
struct PICListeners {
  let vcpus: [Int]

  init(_ state: MachineState) { vcpus = state.vcpus.indices.filter { state.vcpus[$0].listensToPIC } }
}

extension LineReport.Way {
  init(_ route: GSIRoute, _ state: MachineState, _ processors: Processors, _ listeners: PICListeners) {
    switch route {
    case .irqChip(_, .ioapic, let pin):
      let number = Int(pin)
      guard let chip = state.ioapic, number < chip.entries.count else {
        self.init(through: .ioapic, pin: number, entry: "", obstacle: "the state has no such pin")
        return
      }
      self.init(pin: number, chip.entries[number], processors)
      let isRequested = chip.irr >> UInt32(truncatingIfNeeded: number) & 1 == 1
      if isRequested { status = chip.entries[number].remoteIRR ? "high, remote IRR" : "high or not yet sent" }
    case .irqChip(_, .picMaster, let pin): self.init(line: Int(pin), state.pics, listeners)
    case .irqChip(_, .picSlave, let pin): self.init(line: Int(pin) + 8, state.pics, listeners)
    case .msi(_, let message):
      self.init(through: .msi, entry: message.description)
      guard message.isInterrupt else {
        obstacle = "its address is no local APIC's"
        return
      }
      recipients = Recipients(of: .init(message, wideIDs: processors.wideIDs), in: processors)
    case .hypervSINT: self.init(through: .hyperV, entry: route.words, obstacle: "Hyper-V's SynIC decides")
    }
  }

  /// A pin of the IOAPIC.
  init(pin: Int, _ entry: RedirectionEntry, _ processors: Processors) {
    self.init(through: .ioapic, pin: pin, entry: entry.words)
    if entry.isMasked {
      obstacle = Self.masked
    } else {
      if entry.remoteIRR, entry.triggerMode == .level { status = "remote IRR: the next waits for an EOI" }
      recipients = Recipients(of: .init(entry.message, wideIDs: false), in: processors)
    }
  }

  /// A line of the PIC.
  private init(line: Int, _ pair: MachineState.PICPair?, _ listeners: PICListeners) {
    self.init(through: .pic, pin: line, entry: "")
    guard let pair, line < 16 else {
      obstacle = "the state has no such line"
      return
    }
    let chip = line < 8 ? pair.master : pair.slave
    let bit = UInt8(1) << UInt8(line % 8)
    // Before ICW2 there is no vector; KVM would deliver the line's number.
    let vector = "vector \(hex(chip.irqBase &+ UInt8(line % 8), digits: 2))"
    entry = (chip.irqBase == 0 ? "not initialized" : vector) + (chip.elcr & bit == 0 ? ", edge" : ", level")
    let isRequested = chip.irr & bit != 0
    let isServed = chip.isr & bit != 0
    status =
      isRequested && isServed ? "requested, in service" : isRequested ? "requested" : isServed ? "in service" : nil
    if line == Int(PIC.cascadeLine) {
      obstacle = "the cascade of lines 8 to 15"
    } else if chip.initState != 0 || pair.master.initState != 0 {
      obstacle = "the chip is being initialized"
    } else if chip.imr & bit != 0 {
      obstacle = Self.masked
    } else if line >= 8, pair.master.imr >> PIC.cascadeLine & 1 == 1 {
      obstacle = "masked at the cascade, line 2"
    } else if listeners.vcpus.isEmpty {
      obstacle = "no vCPU has an unmasked ExtINT at LINT0"
    } else {
      recipients = Recipients(
        targets: listeners.vcpus.map { .init(vcpu: $0, accepts: true, note: "") },
        text: (listeners.vcpus.count == 1 ? "vCPU " : "the first of vCPUs ") + Pins.ranges(listeners.vcpus)
          + ", by LINT0")
    }
  }

  private init(through kind: LineReport.Kind, pin: Int? = nil, entry: String, obstacle: String? = nil) {
    self.init(through: kind, pin: pin, entry: entry, obstacle: obstacle, status: nil, recipients: nil)
  }
}
