import Evidence
import Support
import Watch

/// The virtual machines of a host: the value behind `lapwing watch` and the JSON document `lapwing.machines/1`.
public struct MachineListReport: Codable, Sendable {
  /// The document's type and version.
  public static let schema = "lapwing.machines/1"

  /// `lapwing.machines/1`.
  public var schema = MachineListReport.schema
  /// How long they were watched, in nanoseconds.
  public var length: Int64
  /// The machines, by process and descriptor.
  public var machines: [WatchReport]

  /// The list of machines that were watched for a moment.
  public init(_ machines: [WatchReport]) {
    self.machines = machines
    length = machines.first?.length ?? 0
  }

  /// The list for a person.
  public func text(_ style: Style = Style()) -> String {
    guard !machines.isEmpty else { return "no virtual machine runs on this host" }
    var table = LeftTable()
    table.add(["PID/FD", "program", "vCPUs", "interrupts/s", "way", "APICv"].map { style.bold(TextLine($0)) })
    for machine in machines {
      let rate = length > 0 ? Double(machine.accepted) * 1e9 / Double(length) : 0
      table.add([
        "\(machine.process)/\(machine.descriptor)", "\(machine.program ?? "?")", "\(machine.vcpus.count)",
        "\(Units.fixed(rate, digits: 0))", "\(machine.way)", "\(machine.apicvWords)",
      ])
    }
    let notes = Set(machines.flatMap(\.notes)).sorted()
    return (table.lines(indent: 0) + (notes.isEmpty ? [] : [""]) + notes.map { style.yellow("note: ") + "\($0)" }).text
  }
}

extension WatchReport {
  /// How its interrupts get there, all taken together.
  fileprivate var way: String {
    var sum = WatchedInterrupt.Ways(software: 0, virtualDelivery: 0, posted: 0, ended: 0, unknown: 0)
    for interrupt in interrupts {
      sum.software += interrupt.ways.software + (interrupt.concludedWay == .software ? interrupt.ways.ended : 0)
      sum.virtualDelivery += interrupt.ways.virtualDelivery
      sum.posted += interrupt.ways.posted
    }
    return sum.named.isEmpty ? "not known" : sum.named.map(\.name).joined(separator: ", ")
  }

  fileprivate var apicvWords: String {
    switch apicv.state {
    case .active: return "active"
    case .unavailable: return "not on this host"
    case .unknown: return "not known: \(apicv.basis)"
    case .inhibited:
      let names = (apicv.inForce ?? []).map(\.title)
      return names.isEmpty ? "inhibited before it was watched" : "inhibited: \(names.joined(separator: ", "))"
    }
  }
}
