import APIC

/// A local APIC's page with what is needed to read it.
struct LocalAPICView: Sendable {
  var state: LocalAPICState
  var mode: APICMode
  /// Its x2APIC ID.
  var id: UInt32

  init(state: LocalAPICState, mode: APICMode, id: UInt32) {
    self.state = state
    self.mode = mode
    self.id = id
  }

  /// A page alone, which does not say its mode: in x2APIC mode alone the LDR has bits below 31:24.
  init(page state: LocalAPICState) {
    self.state = state
    mode = state.logicalDestination & 0x00ff_ffff == 0 ? .xAPIC : .x2APIC
    id = state.id(mode: mode)
    // Without 32-bit IDs the page has the ID in bits 31:24 in either mode; the LDR tells which it is.
    if mode == .x2APIC, Destination.x2APICLogicalID(of: id) != state.logicalDestination { id = state.id(mode: .xAPIC) }
  }

  var isPresent: Bool { mode == .xAPIC || mode == .x2APIC }
}

/// A source of the local vector table, with the name of its register.
struct LocalVectorEntry {
  let source: LocalVector
  let name: String

  static let all = [
    LocalVectorEntry(source: .cmci, name: "LVT_CMCI"), LocalVectorEntry(source: .timer, name: "LVT_TIMER"),
    LocalVectorEntry(source: .thermal, name: "LVT_THERMAL"),
    LocalVectorEntry(source: .performance, name: "LVT_PERFMON"),
    LocalVectorEntry(source: .lint0, name: "LVT_LINT0"), LocalVectorEntry(source: .lint1, name: "LVT_LINT1"),
    LocalVectorEntry(source: .error, name: "LVT_ERROR"),
  ]
}
