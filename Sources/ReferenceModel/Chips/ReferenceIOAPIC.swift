public import APIC

/// An IOAPIC as a value (82093AA data sheet).
///
/// It says what is to be sent; the machine sends it, and says back whether it was taken.
public struct ReferenceIOAPIC: Hashable, Sendable {
  /// The chip's ID, 0 to 15.
  public package(set) var id: UInt32 = 0
  /// IOREGSEL.
  public package(set) var selected: UInt32 = 0
  /// The redirection table.
  public package(set) var entries = InlineArray<24, UInt64>(repeating: RedirectionEntry.masked.rawValue)
  /// The pins that are high, or have an edge that is not sent: pin 0 in bit 0.
  public package(set) var requests: UInt32 = 0
  /// The edge-triggered pins whose edge was sent while they stay high.
  public package(set) var sentEdges: UInt32 = 0
  /// Which sources hold each pin high, a bit a source.
  var sources = InlineArray<24, UInt8>(repeating: 0)
  /// How many interrupts of pin 8 are not ended yet, with `Deviation.clockEdgesMerged` (`rtc_status.pending_eoi`).
  var clockPending = 0
  /// The vCPUs that have one in hand.
  var clockHolders: UInt64 = 0
  /// The vectors that they were sent.
  var clockVectors = InlineArray<64, UInt8>(repeating: 0)
  /// Where it differs from the data sheet.
  public let deviations: Deviations
  /// Its version: from 0x20 on it has an EOI register.
  public let version: UInt8

  /// A chip after power-on: every pin is masked.
  public init(version: UInt8 = 0x11, deviations: Deviations = .none) {
    self.version = version
    self.deviations = deviations
  }

  /// A pin's redirection entry.
  ///
  /// - Parameter pin: 0 to 23.
  public subscript(pin: Int) -> RedirectionEntry {
    get { RedirectionEntry(rawValue: entries[pin]) }
    set { entries[pin] = newValue.rawValue }
  }

  /// The pin of the real-time clock.
  public static var clockPin: Int { 8 }

  /// Whether registers, levels and redirection table are the same.
  public static func == (left: ReferenceIOAPIC, right: ReferenceIOAPIC) -> Bool {
    guard left.id == right.id, left.selected == right.selected, left.requests == right.requests else { return false }
    for pin in left.entries.indices where left.entries[pin] != right.entries[pin] { return false }
    return true
  }

  /// Feeds what equality looks at to the hasher.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(id)
    hasher.combine(selected)
    hasher.combine(requests)
    for pin in entries.indices { hasher.combine(entries[pin]) }
  }
}
