import APIC

/// A local APIC's page with what is needed to read it.
struct LocalAPICView: Sendable {
  var state: LocalAPICState
  var mode: APICMode
  /// Its x2APIC ID.
  var id: UInt32
  /// Registers that are not known.
  var absent: Set<LocalAPICRegister> = []

  init(state: LocalAPICState, mode: APICMode, id: UInt32, absent: Set<LocalAPICRegister> = []) {
    self.state = state
    self.mode = mode
    self.id = id
    self.absent = absent
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

extension LocalAPICView {
  static let vectorTable: [Register] = LocalVector.allCases.map { source in
    Register(source.register, fields: fields(of: source)) { view in
      // The entry of the corrected machine checks is the seventh, where there is one.
      guard !view.absent.contains(source.register) else { return nil }
      guard source != .cmci || view.state.version.maxLVTEntry >= 6 else { return nil }
      return .bits(view.state[source.register])
    } meaning: { view in
      meaning(of: view.state.lvt(source), source)
    }
  }

  private static func fields(of source: LocalVector) -> [BitField] {
    switch source {
    case .timer:
      [.vector(), .deliveryStatus, .mask, .choice("Timer Mode", 17...18, ["one-shot", "periodic", "TSC-deadline"])]
    case .lint0, .lint1: [.vector(), .deliveryMode, .deliveryStatus, .polarity, .remoteIRR, .triggerMode, .mask]
    case .error: [.vector(), .deliveryStatus, .mask]
    case .cmci, .thermal, .performance: [.vector(), .deliveryMode, .deliveryStatus, .mask]
    }
  }

  private static func meaning(of entry: LVTEntry, _ source: LocalVector) -> String {
    var words = entry.description
    switch source {
    case .timer: words += ", " + (entry.timerMode?.words ?? "reserved mode")
    case .lint0, .lint1:
      words += entry.polarity == .activeLow ? ", active low" : ", active high"
      words += entry.triggerMode == .level ? ", level" : ", edge"
      if entry.remoteIRR { words += ", remote IRR: waits for an EOI" }
    case .cmci, .thermal, .performance, .error: break
    }
    return words
  }

  static let timer: [Register] = [
    Register(.initialCount) {
      .bits($0.state[.initialCount])
    } meaning: {
      String($0.state.initialCount)
    },
    Register(.currentCount, moves: .always) {
      .bits($0.state[.currentCount])
    } meaning: {
      String($0.state.currentCount)
    },
    Register(.divide) {
      .bits($0.state[.divide])
    } meaning: {
      "divide by \($0.state.divide.divisor)"
    },
  ]
}

extension TimerMode {
  /// The mode as the SDM writes it.
  var words: String {
    switch self {
    case .oneShot: "one-shot"
    case .periodic: "periodic"
    case .tscDeadline: "TSC-deadline"
    }
  }
}
