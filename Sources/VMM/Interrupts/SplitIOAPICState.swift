public import APIC

/// What the IOAPIC of a split irqchip holds.
public struct SplitIOAPICState: Hashable, Sendable {
  /// The ID register, whose bits 27:24 are the id.
  public var id: UInt32 = 0
  /// The register that the window shows (IOREGSEL).
  public var selected: UInt8 = 0
  /// The redirection table, one entry for each of the 24 pins.
  public var entries = [RedirectionEntry](repeating: .masked, count: IOAPIC.pinCount)
  /// The pins' levels, pin 0 in bit 0.
  public var levels: UInt32 = 0
  /// Edges that came while their pin was masked, a bit each.
  public var pendingEdges: UInt32 = 0

  /// A chip after reset.
  public init() {}
}
