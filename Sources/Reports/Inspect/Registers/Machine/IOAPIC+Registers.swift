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
    + (0..<IOAPIC.pinCount).map { pin in
      RegisterDescription("REDTBL\(pin)", "Redirection entry of pin \(pin)", fields: RedirectionEntry.bitFields) {
        pin < $0.entries.count ? .bits($0.entries[pin].rawValue) : nil
      } meaning: {
        $0.entries[pin].words
      }
    }
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
    + (0..<IOAPIC.pinCount).map { pin in
      RegisterDescription("REDTBL\(pin)", "Redirection entry of pin \(pin)", fields: RedirectionEntry.bitFields) {
        pin < $0.entries.count ? .bits($0.entries[pin].rawValue) : nil
      } meaning: {
        $0.entries[pin].words
      }
    }
}

extension RedirectionEntry {
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
