/// A command to this stub rather than to gdb: what follows `monitor`.
public enum MonitorCommand: Hashable, Sendable {
  /// Part of a machine's interrupt state, shown in words.
  public enum Topic: String, CaseIterable, Sendable {
    /// The local APIC of the vCPU.
    case lapic
    /// The IOAPIC.
    case ioapic
    /// The pair of PICs.
    case pic
    /// What the vCPU takes next, and what holds the rest back.
    case next

    var summary: String {
      switch self {
      case .lapic: "the local APIC of the selected thread's vCPU"
      case .ioapic: "the IOAPIC, and where each pin leads"
      case .pic: "the PICs"
      case .next: "what the selected thread's vCPU would take next, and what holds the rest back"
      }
    }
  }

  case help
  case show(Topic)
  /// Whether interrupts may come into single steps; nil to ask.
  case stepInterrupts(Bool?)
  /// What this host's KVM does for debuggers.
  case support
  case unknown

  /// The command of a text.
  public init(_ text: String) {
    let words = text.split { $0 == " " || $0 == "\t" }.map { $0.lowercased() }
    switch (words.first, words.count) {
    case (nil, _), ("help", 1): self = .help
    case ("support", 1): self = .support
    case ("step-interrupts", 1): self = .stepInterrupts(nil)
    case ("step-interrupts", 2) where words[1] == "on": self = .stepInterrupts(true)
    case ("step-interrupts", 2) where words[1] == "off": self = .stepInterrupts(false)
    case (let word?, 1): self = Topic(rawValue: word).map { .show($0) } ?? .unknown
    default: self = .unknown
    }
  }

  /// What there is, a line each.
  public static let helpText: String = {
    let rows =
      Topic.allCases.map { ($0.rawValue, $0.summary) } + [
        ("step-interrupts on|off", "whether interrupts may come into single steps"),
        ("support", "what this host's KVM does for debuggers"), ("help", "this"),
      ]
    return rows.map { name, summary in
      "monitor " + name + String(repeating: " ", count: 24 - name.count) + summary + "\n"
    }.joined()
  }()
}

/// Says part of a machine's state in words, for the vCPU with that index, while the machine stands.
public typealias StateWords = @Sendable (_ topic: MonitorCommand.Topic, _ vcpu: Int) -> String
