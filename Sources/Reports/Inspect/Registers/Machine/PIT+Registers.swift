import APIC
import KVM

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
