public import APIC

/// Where a GSI leads (KVM API, KVM_SET_GSI_ROUTING).
public enum Route: Hashable, Sendable {
  /// To a pin of the IOAPIC, 0 to 23.
  case ioapic(pin: Int)
  /// To a line of the pair of PICs, 0 to 15.
  case pic(line: Int)
  /// To local APICs, as a message.
  case message(MSIMessage)
}

/// The routes of a machine: which GSI leads where.
public struct RouteTable: Hashable, Sendable {
  private var routes: [[Route]]

  /// A table without routes.
  public init() { routes = [] }

  /// The table that a machine with an irqchip starts with: GSIs 0 to 15 lead to a PIC and to the IOAPIC, 16 to 23 to the
  /// IOAPIC (`default_routing` in arch/x86/kvm/irq.c).
  public static let defaults: RouteTable = {
    var table = RouteTable()
    for pin in 0..<24 { table.add(.ioapic(pin: pin), to: UInt32(pin)) }
    for line in 0..<16 { table.add(.pic(line: line), to: UInt32(line)) }
    return table
  }()

  /// The greatest GSI that has a route of its own here, and one more.
  public static var limit: UInt32 { 4096 }

  /// Gives a GSI one more route; one beyond `limit` is ignored.
  public mutating func add(_ route: Route, to gsi: UInt32) {
    guard gsi < Self.limit else { return }
    while routes.count <= Int(gsi) { routes.append([]) }
    routes[Int(gsi)].append(route)
  }

  /// Where a GSI leads.
  public subscript(gsi: UInt32) -> [Route] { Int(gsi) < routes.count ? routes[Int(gsi)] : [] }
}
