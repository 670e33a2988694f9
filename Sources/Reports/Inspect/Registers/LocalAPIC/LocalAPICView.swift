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

extension LocalAPICView {
  typealias Register = RegisterDescription<LocalAPICView>

  /// The registers of the page, by the SDM's order (volume 3A, table 12-1).
  static let registers: [Register] =
    identity + priorities + destinations + requests + vectorTable + timer + unused

  private static let identity: [Register] = [
    Register(.id) {
      .bits($0.state[.id])
    } meaning: {
      "APIC id \($0.id)"
    },
    Register(
      .version,
      fields: [
        BitField.number("Version", 0...7), .number("Max LVT Entry", 16...23),
        .flag("Support for EOI-broadcast suppression", 24),
      ]
    ) {
      .bits($0.state[.version])
    } meaning: { view in
      let version = view.state.version
      let suppression = version.supportsEOIBroadcastSuppression ? ", EOI broadcasts can be suppressed" : ""
      return
        "version \(hex(version.version, digits: 2)), \(Int(version.maxLVTEntry) + 1) LVT entries\(suppression)"
    },
  ]

  private static func priority(_ register: LocalAPICRegister) -> Register {
    Register(register, fields: [.number("Sub-Class", 0...3), .number("Class", 4...7)]) {
      .bits(UInt64($0.state[register]), digits: 2)
    }
  }

  private static let priorities = [
    priority(.taskPriority), priority(.arbitrationPriority), priority(.processorPriority),
  ]

  private static let destinations: [Register] = [
    Register(.remoteRead) { .bits($0.state[.remoteRead]) },
    Register(.logicalDestination) {
      .bits($0.state[.logicalDestination])
    } meaning: { view in
      let id = view.state.logicalID(mode: view.mode)
      if view.mode == .x2APIC { return "cluster \(id >> 16), members \(hex(id & 0xffff, digits: 4))" }
      return view.state.destinationFormat == .cluster
        ? "cluster \(id >> 4), members \(hex(id & 0xf))" : "logical ID \(hex(id, digits: 2))"
    },
    Register(
      .destinationFormat,
      fields: [BitField(name: "Model", bits: 28...31) { $0 == 0xf ? "flat" : $0 == 0 ? "cluster" : "neither" }]
    ) {
      .bits($0.state[.destinationFormat])
    } meaning: { view in
      guard view.mode != .x2APIC else { return "not in x2APIC mode" }
      return switch view.state.destinationFormat {
      case .flat: "flat model"
      case .cluster: "cluster model"
      case nil: "neither model: no logical destination matches"
      }
    },
    Register(
      .spurious,
      fields: [
        .vector("Spurious Vector"), .flag("APIC Software Enable/Disable", 8, "enabled", "disabled"),
        .flag("Focus Processor Checking", 9, "disabled", "enabled"), .flag("EOI-Broadcast Suppression", 12),
      ]
    ) {
      .bits($0.state[.spurious])
    } meaning: { view in
      let register = view.state.spurious
      return "\(register.isSoftwareEnabled ? "enabled" : "disabled by software"), spurious vector \(register.vector)"
        + (register.focusCheckingDisabled ? ", focus checking off" : "")
        + (register.suppressesEOIBroadcast ? ", EOI broadcasts suppressed" : "")
    },
  ]

  private static func vectors(
    _ register: LocalAPICRegister, _ path: any Sendable & KeyPath<LocalAPICState, VectorSet>
  ) -> Register {
    Register(register) {
      .vectors($0.state[keyPath: path])
    } meaning: { view in
      register == .interruptRequest ? view.levels(of: view.state.interruptRequest) : ""
    }
  }

  private static let requests: [Register] = [
    vectors(.inService, \.inService), vectors(.triggerModes, \.triggerModes),
    vectors(.interruptRequest, \.interruptRequest),
    Register(.errorStatus) {
      .bits($0.state[.errorStatus])
    } meaning: { view in
      view.state.errorStatus.isEmpty ? "no error" : view.state.errorStatus.description
    },
    Register(
      .interruptCommand,
      fields: [
        .vector(), .deliveryMode, .destinationMode, .deliveryStatus,
        .choice("Level", 14...14, ["de-assert", "assert"]), .triggerMode,
        .choice("Destination Shorthand", 18...19, ["none", "self", "all including self", "all excluding self"]),
        .number("Destination Field", 32...63),
      ]
    ) {
      .bits($0.command.rawValue)
    } meaning: {
      $0.command.description
    },
  ]

  /// The words of the page that no register has, by their offsets: normally all 0, but what is there is part of the state.
  private static let unused: [Register] = {
    var known: Set<Int> = []
    for register in LocalAPICRegister.allCases where ![.endOfInterrupt, .selfIPI].contains(register) {
      for word in 0..<register.wordCount { known.insert(Int(register.offset(word: word) / 4)) }
    }
    return (0..<256).filter { !known.contains($0) }.map { index in
      let offset = hex(4 * index, digits: 3)
      return Register("PAGE_\(offset)", "The word at \(offset), which is no register's") { view in
        let word = view.state.registers[index]
        return word == 0 ? nil : .bits(word)
      }
    }
  }()

  /// The ICR, with the destination in bits 63:32 in either mode.
  var command: InterruptCommand { state.interruptCommand(mode: mode) }

  /// Which of the vectors are level-triggered.
  func levels(of vectors: VectorSet) -> String {
    let levels = vectors.intersection(state.triggerModes)
    return levels.isEmpty ? "" : "level-triggered: \(levels)"
  }
}

extension RegisterDescription<LocalAPICView> {
  /// A register of the page, named as `LocalAPICRegister` has it.
  init(
    _ register: LocalAPICRegister, fields: [BitField] = [], moves movement: Movement = .never,
    _ value: @escaping @Sendable (LocalAPICView) -> RegisterValue?,
    meaning: @escaping @Sendable (LocalAPICView) -> String = { _ in "" }
  ) {
    self.init(
      register.mnemonic, register.name, fields: fields, moves: movement,
      { $0.absent.contains(register) ? nil : value($0) }, meaning: meaning)
  }
}
