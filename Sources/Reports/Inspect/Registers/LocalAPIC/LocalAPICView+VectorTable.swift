import APIC

extension LocalAPICView {
  static let vectorTable: [Register] = LocalVectorEntry.all.map { entry in
    Register(entry.name, entry.source.register.name, fields: fields(of: entry.source)) { view in
      // The entry of the corrected machine checks is the seventh, where there is one.
      guard entry.source != .cmci || view.state.version.maxLVTEntry >= 6 else { return nil }
      return .bits(view.state[entry.source.register])
    } meaning: { view in
      meaning(of: view.state.lvt(entry.source), entry.source)
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
    Register("INITIAL_COUNT", LocalAPICRegister.initialCount.name) {
      .bits($0.state[.initialCount])
    } meaning: {
      String($0.state.initialCount)
    },
    Register("CURRENT_COUNT", LocalAPICRegister.currentCount.name, moves: .always) {
      .bits($0.state[.currentCount])
    } meaning: {
      String($0.state.currentCount)
    },
    Register("DIVIDE", LocalAPICRegister.divide.name) {
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
