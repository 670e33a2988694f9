import APIC
import KVM
import MachineState
import VMM

extension IOAPICState {
  /// The registers by the data sheet's names, and the pins' requests.
  static let registers: [RegisterDescription<IOAPICState>] =
    [
      RegisterDescription("IOAPICID", "IOAPIC ID") { .bits($0.id) },
      RegisterDescription("IOREGSEL", "I/O Register Select") { .bits(UInt64($0.registerSelect), digits: 2) },
      RegisterDescription("IOAPIC_BASE", "Address of the registers") { .bits($0.baseAddress) },
      RegisterDescription("IOAPIC_IRR", "Pins that are high or have a request that is not yet sent") {
        .bits($0.irr)
      } meaning: {
        Pins.list($0.irr)
      },
    ]
    + RedirectionEntry.table { $0.entries }
}

extension SplitIOAPICState {
  /// The registers by the data sheet's names, and the pins' levels.
  static let registers: [RegisterDescription<SplitIOAPICState>] =
    [
      RegisterDescription("IOAPICID", "IOAPIC ID") { .bits($0.id) },
      RegisterDescription("IOREGSEL", "I/O Register Select") { .bits($0.selected) },
      RegisterDescription("IOAPIC_LEVELS", "Pins that are high") {
        .bits($0.levels)
      } meaning: {
        Pins.list($0.levels)
      },
    ]
    + RedirectionEntry.table { $0.entries }
}

extension RedirectionEntry {
  /// The redirection table of a chip, whoever has it.
  fileprivate static func table<Chip>(
    _ entries: @escaping @Sendable (Chip) -> [RedirectionEntry]
  ) -> [RegisterDescription<Chip>] {
    (0..<IOAPIC.pinCount).map { pin in
      RegisterDescription("REDTBL\(pin)", "Redirection entry of pin \(pin)", fields: bitFields) {
        let table = entries($0)
        return pin < table.count ? .bits(table[pin].rawValue) : nil
      } meaning: {
        entries($0)[pin].words
      }
    }
  }

  static let bitFields: [BitField] = [
    .vector("Interrupt Vector"), .deliveryMode, .destinationMode, .deliveryStatus, .polarity, .remoteIRR, .triggerMode,
    .mask, .number("Destination Field", 56...63),
  ]

  /// The message and the pin's electrical side.
  var words: String {
    var words = message.description
    // An entry's message says nothing of its level: a pin has none to carry.
    if let comma = words.firstIndex(of: ",") { words = String(words[..<comma]) }
    words += polarity == .activeLow ? ", active low" : ", active high"
    words += triggerMode == .level ? ", level" : ", edge"
    if isPending { words += ", send pending" }
    if remoteIRR { words += ", remote IRR" }
    if isMasked { words += ", masked" }
    return words
  }
}

/// Pins or lines of a chip, a bit each.
enum Pins {
  /// Their numbers, as in `1, 4-7`; empty for none.
  static func list(_ bits: some FixedWidthInteger & UnsignedInteger, from first: Int = 0) -> String {
    ranges((0..<type(of: bits).bitWidth).filter { bits >> $0 & 1 == 1 }.map { $0 + first })
  }

  /// Ascending numbers, with runs of three and more as one.
  static func ranges(_ numbers: [Int]) -> String {
    var runs: [ClosedRange<Int>] = []
    for number in numbers {
      if let last = runs.last, last.upperBound == number - 1 {
        runs[runs.count - 1] = last.lowerBound...number
      } else {
        runs.append(number...number)
      }
    }
    return runs.map { run in
      switch run.count {
      case 1: "\(run.lowerBound)"
      case 2: "\(run.lowerBound), \(run.upperBound)"
      default: "\(run.lowerBound)-\(run.upperBound)"
      }
    }.joined(separator: ", ")
  }
}

extension PICState {
  typealias Register = RegisterDescription<PICState>

  /// The chip's registers by the data sheet's names.
  ///
  /// - Parameter first: the number of its first line, 0 or 8.
  static func registers(from first: Int) -> [Register] {
    func lines(_ name: String, _ title: String, _ path: any Sendable & KeyPath<PICState, UInt8>) -> Register {
      Register(name, title) {
        .bits($0[keyPath: path])
      } meaning: {
        Pins.list($0[keyPath: path], from: first)
      }
    }
    func flag(_ name: String, _ title: String, _ path: any Sendable & KeyPath<PICState, UInt8>) -> Register {
      Register(name, title) { $0[keyPath: path] <= 1 ? .flag($0[keyPath: path] == 1) : .bits($0[keyPath: path]) }
    }
    return [
      lines("IRR", "Interrupt Request Register", \.irr), lines("IMR", "Interrupt Mask Register", \.imr),
      lines("ISR", "In-Service Register", \.isr), lines("LAST_IRR", "Levels last seen", \.lastIRR),
      lines("ELCR", "Edge/Level Control Register: level-triggered lines", \.elcr),
      lines("ELCR_MASK", "Lines that can be level-triggered", \.elcrMask),
      Register("ICW2", "Vector of the first line") {
        .bits($0.irqBase)
      } meaning: {
        "lines \(first) to \(first + 7) are vectors \(hex($0.irqBase, digits: 2)) to \(hex($0.irqBase &+ 7, digits: 2))"
      },
      Register("PRIORITY_ADD", "Line of highest priority") { .count(Int64($0.priorityAdd)) },
      Register("READ_SELECT", "What a read of the command port gives") {
        .words($0.readRegisterSelect == 0 ? "IRR" : "ISR")
      },
      flag("POLL", "The next read polls", \.poll), flag("SMM", "Special mask mode", \.specialMask),
      Register("INIT_STATE", "Initialization command word that comes next") { state in
        switch state.initState {
        case 0: .words("none")
        case 1: .words("ICW2")
        case 2: .words("ICW3")
        case 3: .words("ICW4")
        default: .bits(state.initState)
        }
      },
      flag("AEOI", "Automatic end of interrupt", \.autoEOI),
      flag("ROTATE", "Rotation of priorities at an automatic end of interrupt", \.rotateOnAutoEOI),
      flag("SFNM", "Special fully nested mode", \.specialFullyNestedMode),
      flag("IC4", "Initialization takes an ICW4", \.init4),
    ]
  }

  /// The registers that QEMU's monitor prints, too (`info pic`).
  static let printed: Set<String> = ["IRR", "IMR", "ISR", "ELCR", "ICW2", "PRIORITY_ADD", "READ_SELECT", "SFNM"]

  /// The line that the chip passes on, 0 to 7; nil for none (`pic_get_irq` in arch/x86/kvm/i8259.c, which leaves special
  /// mask mode out).
  ///
  /// - Parameter isMaster: whether it is the chip with the cascade.
  func pendingLine(isMaster: Bool) -> UInt8? {
    guard let line = highest(irr & ~imr) else { return nil }
    var blocking = isr
    if isMaster, specialFullyNestedMode != 0 { blocking &= ~(1 << PIC.cascadeLine) }
    guard let served = highest(blocking) else { return line }
    return rank(line) < rank(served) ? line : nil
  }

  private func highest(_ lines: UInt8) -> UInt8? {
    (0..<8 as Range<UInt8>).filter { lines >> $0 & 1 == 1 }.min { rank($0) < rank($1) }
  }

  private func rank(_ line: UInt8) -> UInt8 { (line &- priorityAdd) & 7 }
}

extension PITState {
  /// The channels, in order.
  var channels: [Channel] { [channel0, channel1, channel2] }

  /// The chip's flags.
  static let registers: [RegisterDescription<PITState>] = [
    RegisterDescription("HPET_LEGACY", "An HPET has taken over IRQ 0") { .flag($0.isReplacedByHPET) },
    RegisterDescription("SPEAKER_DATA", "The speaker's data bit") { .flag($0.speakerDataOn) },
  ]
}

extension PITState.Channel {
  typealias Register = RegisterDescription<PITState.Channel>

  /// A counter's registers, `COUNT0` and so on.
  static func registers(_ number: Int) -> [Register] {
    func byte(_ name: String, _ title: String, _ path: any Sendable & KeyPath<PITState.Channel, UInt8>) -> Register {
      Register("\(name)\(number)", title) { .count(Int64($0[keyPath: path])) }
    }
    return [
      Register(
        "COUNT\(number)", "Count from which channel \(number) starts",
        // A count that runs once goes on, in a restored machine, with what is left of it.
        moves: .when({ number == 0 && ![2, 3].contains($0.mode) })
      ) {
        .count(Int64($0.count))
      } meaning: {
        $0.count == 0 ? "not set" : Units.frequency(Double(PIT.frequency) / Double($0.count))
      },
      Register("MODE\(number)", "Counting mode of channel \(number)") {
        .count(Int64($0.mode))
      } meaning: {
        PIT.Mode(rawValue: $0.mode)?.words ?? "no mode"
      },
      byte("GATE", "Gate input", \.gate), byte("BCD", "Counts in decimal", \.bcd),
      byte("ACCESS", "Halves that are read and written", \.readWriteMode),
      byte("READ_STATE", "Half that a read gives", \.readState),
      byte("WRITE_STATE", "Half that a write sets", \.writeState),
      byte("WRITE_LATCH", "Half that was written first", \.writeLatch),
      byte("COUNT_LATCHED", "Whether a count is latched", \.countLatched),
      Register("LATCHED_COUNT\(number)", "Count that was latched") { .count(Int64($0.latchedCount)) },
      byte("STATUS_LATCHED", "Whether the status is latched", \.statusLatched),
      byte("STATUS", "Status that was latched", \.status),
      Register("LOAD_TIME\(number)", "When counting started, in ns of the host's clock", moves: .always) {
        .count($0.countLoadTime)
      },
    ]
  }
}

extension PIT.Mode {
  /// The mode as the data sheet calls it.
  var words: String {
    switch self {
    case .interruptOnTerminalCount: "interrupt on terminal count"
    case .hardwareOneShot: "hardware retriggerable one-shot"
    case .rateGenerator: "rate generator"
    case .squareWave: "square wave"
    case .softwareStrobe: "software triggered strobe"
    case .hardwareStrobe: "hardware triggered strobe"
    }
  }
}
