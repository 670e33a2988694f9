import APIC

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
